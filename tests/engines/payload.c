/*
 * What the test containers run. Linked statically and present in the image under the names rc0,
 * rc1, ..., so that the kernel's comm of a container's init says which container it is, with no
 * help from the runtime or from Roster.
 *
 *   rc7 exit [CODE]      end at once
 *   rc7 wait             wait for SIGTERM or SIGINT, also as pid 1
 *   rc7 crowd N          N children that make system calls every 0.2 ms, then wait
 *   rc7 exec PATH ...    execve PATH
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wait_for_signal(void) {
  sigset_t set;
  int signal;

  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  /* Blocked, so that the kernel queues them for pid 1, which has no default action. */
  sigprocmask(SIG_BLOCK, &set, NULL);
  return sigwait(&set, &signal);
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "exit";

  if (!strcmp(mode, "wait")) return wait_for_signal();
  if (!strcmp(mode, "crowd")) {
    for (int i = argc > 2 ? atoi(argv[2]) : 1; i > 0; i--)
      if (fork() == 0)
        for (;;) usleep(200);
    return wait_for_signal();
  }
  if (!strcmp(mode, "exec") && argc > 2) {
    execv(argv[2], argv + 2);
    return 127;
  }
  return argc > 2 ? atoi(argv[2]) : 0;
}
