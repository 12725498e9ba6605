// Child is a forked process of a test, killed and reaped at the end of its scope.
#ifndef ROSTER_TESTS_UNIT_PROCESS_CHILD_H_
#define ROSTER_TESTS_UNIT_PROCESS_CHILD_H_

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace roster {

class Child {
 public:
  // Runs `body` in a child, which then waits to be killed. Returns when `body` has returned.
  template <typename Body>
  explicit Child(Body body) {
    int ready[2];
    if (pipe2(ready, 0) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      body();
      if (write(ready[1], "x", 1) != 1) _exit(1);
      while (true) pause();
    }
    close(ready[1]);
    char byte;
    ready_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { End(); }

  pid_t pid() const { return pid_; }
  bool ready() const { return ready_; }
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_PROCESS_CHILD_H_
