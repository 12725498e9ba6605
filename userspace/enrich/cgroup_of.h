// CgroupOf is the cgroup of a process, for engines that do not tell it.
#ifndef ROSTER_USERSPACE_ENRICH_CGROUP_OF_H_
#define ROSTER_USERSPACE_ENRICH_CGROUP_OF_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace roster {

// Its v1 path, else its v2 path, relative to the hierarchy; "" where it has none or is gone.
std::string CgroupOf(uint32_t pid, std::string_view proc_root);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CGROUP_OF_H_
