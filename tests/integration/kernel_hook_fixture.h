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
#include <utility>
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

// What the cases of a program share, one after the other: to load the programs, and to make a
// workspace, takes longer than most cases do. Whoever fails keeps it, and the next case makes anew.
struct KernelHookSite {
  std::unique_ptr<Workspace> workspace;
  std::unique_ptr<RosterUnderTest> roster;
  std::unique_ptr<KernelHook> hook;
  std::unique_ptr<Observer> observer;
};
// Of this program; empty while a case has it. At the program's end it is taken down, and must leave
// nothing.
KernelHookSite& SharedKernelHookSite();

class KernelHookTest : public RosterTestBase {
 protected:
  void SetUp() override {
    KernelHookSite& site = SharedKernelHookSite();
    if (site.hook != nullptr) {
      workspace_ = std::move(site.workspace);
      roster_ = std::move(site.roster);
      hook_ = std::move(site.hook);
      observer_ = std::move(site.observer);
      observer_->Clear();
    } else {
      RosterTestBase::SetUp();
      if (IsSkipped() || HasFatalFailure()) return;
      // Where a RosterUnderTest reads pins.
      hook_ = std::make_unique<KernelHook>(roster_->pin_directory());
      ROSTER_ASSERT_OK(hook_->Attach());
      Observe(Observer::Kind::kStranger);
      if (HasFatalFailure()) return;
    }
    auto before = roster_->ReadPins();
    ROSTER_ASSERT_OK(before);
    before_ = *before;
    for (uint32_t number = 0; number < ROSTER_STAT_MAX; ++number) {
      counted_[number] = roster_->Stat(number).value_or(0);
    }
  }
  void TearDown() override {
    if (!HasFailure() && !IsSkipped()) {
      SharedKernelHookSite() = {std::move(workspace_), std::move(roster_), std::move(hook_),
                                std::move(observer_)};
      return;
    }
    observer_.reset();
    hook_.reset();
    RosterTestBase::TearDown();
  }

  // What a counter of roster_stats has grown by since the case began.
  uint64_t Counted(uint32_t number) const {
    return roster_->Stat(number).value_or(0) - counted_[number];
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

 private:
  uint64_t counted_[ROSTER_STAT_MAX] = {};
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_FIXTURE_H_
