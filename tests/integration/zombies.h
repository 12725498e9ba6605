// DescribeZombies names the processes that have ended and wait for their parents: the kernel frees
// none of them, so that what the pins hold for them is not left over, but their parents' fault.
#ifndef ROSTER_TESTS_INTEGRATION_ZOMBIES_H_
#define ROSTER_TESTS_INTEGRATION_ZOMBIES_H_

#include <string>

namespace roster::testing {

// "runc (812, child of containerd-shim (790))", each after a comma; "none". Thread-safe.
std::string DescribeZombies();

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_ZOMBIES_H_
