/* A stranger's C11 program that knows the layouts of the pinned maps. */
#include <roster/roster_abi.h>
#include <stddef.h>

int main(void) {
  __u64 handle = ROSTER_MAKE_HANDLE(7, 42);
  struct roster_membership membership = {.handle = handle};
  return ROSTER_HANDLE_SLOT(membership.handle) == 42 && ROSTER_HANDLE_EPOCH(handle) == 7 ? 0 : 1;
}
