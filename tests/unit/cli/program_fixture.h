// ProgramTest runs the program's commands against pins and a state directory of its own.
#ifndef ROSTER_TESTS_UNIT_CLI_PROGRAM_FIXTURE_H_
#define ROSTER_TESTS_UNIT_CLI_PROGRAM_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/entries.h"
#include "unit/lookup/pins_fixture.h"

namespace roster::cli {

class ProgramTest : public TestPinsTest {
 protected:
  void SetUp() override {
    TestPinsTest::SetUp();
    if (pins_ == nullptr) return;
    char dir[] = "/tmp/roster-program-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    state_dir_ = dir;
    socket_ = state_dir_ + "/roster.sock";
  }
  void TearDown() override {
    if (state_dir_.empty()) return;
    unlink(socket_.c_str());
    unlink((state_dir_ + "/daemon.lock").c_str());
    rmdir(state_dir_.c_str());
  }
  struct Outcome {
    int code;
    std::string out;
    std::string err;
  };
  Outcome RunRoster(std::vector<std::string> arguments, bool state_dir = false,
                    bool socket = true) {
    arguments.insert(arguments.begin(), "roster");
    if (socket) arguments.insert(arguments.end(), {"--socket", socket_});
    arguments.insert(arguments.end(), {"--pin-dir", pins_->dir()});
    if (state_dir) arguments.insert(arguments.end(), {"--state-dir", state_dir_});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCli(static_cast<int>(argv.size()), argv.data());
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  Paths paths() const {
    return {.socket = socket_, .pin_dir = pins_->dir(), .state_dir = state_dir_};
  }

  std::string state_dir_;
  std::string socket_;
};

}  // namespace roster::cli

#endif  // ROSTER_TESTS_UNIT_CLI_PROGRAM_FIXTURE_H_
