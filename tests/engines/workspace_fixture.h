// WorkspaceTest is what all tests that start engines or runtimes have in common: root, and a
// workspace.
#ifndef ROSTER_TESTS_ENGINES_WORKSPACE_FIXTURE_H_
#define ROSTER_TESTS_ENGINES_WORKSPACE_FIXTURE_H_

#include <unistd.h>

#include <memory>
#include <utility>

#include "engines/workspace.h"
#include "gtest/gtest.h"

namespace roster::testing {

class WorkspaceTest : public ::testing::Test {
 protected:
  // Who overrides it calls it first, and goes on unless IsSkipped() or HasFatalFailure().
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto workspace = Workspace::Create();
    ASSERT_TRUE(workspace.ok()) << workspace.status();
    workspace_ = *std::move(workspace);
  }

  std::unique_ptr<Workspace> workspace_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_WORKSPACE_FIXTURE_H_
