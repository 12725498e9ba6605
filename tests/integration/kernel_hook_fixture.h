// KernelHookTest has the kernel hook at work without a daemon, and a stranger's observer of its
// pins.
#ifndef ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_FIXTURE_H_
#define ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_FIXTURE_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "integration/kernel_hook.h"
#include "integration/roster_test_base.h"
#include "kernel/fd.h"

namespace roster::testing {

// 0 when there is no such file.
inline uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

class KernelHookTest : public RosterTestBase {
 protected:
  void SetUp() override {
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Where a RosterUnderTest reads pins.
    hook_ = std::make_unique<KernelHook>(roster_->pin_directory());
    ROSTER_ASSERT_OK(hook_->Attach());
    Observe(Observer::Kind::kStranger);
    auto before = roster_->ReadPins();
    ROSTER_ASSERT_OK(before);
    before_ = *before;
  }
  void TearDown() override {
    observer_.reset();
    hook_.reset();
    RosterTestBase::TearDown();
  }

  // A child that executes `arguments` once it is told to, so that it can be armed by its pid.
  struct Held {
    pid_t pid = -1;
    Fd go;
  };
  Held Hold(const std::vector<std::string>& arguments) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
      pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    pid_t pid = ::fork();
    if (pid == 0) {
      char byte;
      ::dup2(null.get(), 0);
      ::dup2(null.get(), 1);
      if (::read(ends[0], &byte, 1) == 1) ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(ends[0]);
    return {pid, Fd(ends[1])};
  }
  int LetGo(Held held) {
    EXPECT_EQ(::write(held.go.get(), "x", 1), 1);
    int status = 0;
    EXPECT_EQ(::waitpid(held.pid, &status, 0), held.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::unique_ptr<KernelHook> hook_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_FIXTURE_H_
