// The kernel's 64-bit ids of namespaces, which it never uses again within a boot, unlike inode
// numbers.
#ifndef ROSTER_USERSPACE_PROCESS_NAMESPACE_IDS_H_
#define ROSTER_USERSPACE_PROCESS_NAMESPACE_IDS_H_

#include <cstdint>

namespace roster {

// The id of the mount namespace behind `mntns_fd` (an open /proc/<pid>/ns/mnt): ioctl
// NS_GET_MNTNS_ID (6.11), else NS_GET_ID (6.18). 0 where the kernel has neither (6.1) or the ioctl
// fails.
uint64_t MntnsId(int mntns_fd);

// The cookie (SO_NETNS_COOKIE, 5.14) of the network namespace behind `netns_fd` (an open
// /proc/<pid>/ns/net). There is no way to ask for another namespace's cookie from outside, so a
// short-lived thread of ours enters it, makes a socket, asks and ends: about 60 us, CAP_SYS_ADMIN.
// 0 when any of that fails.
uint64_t NetnsCookie(int netns_fd);

// The cookie of the calling thread's own network namespace; 0 before 5.14.
uint64_t OwnNetnsCookie();

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_NAMESPACE_IDS_H_
