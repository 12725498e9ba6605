// StateName and FlagNames put the numbers of a membership into words.
#ifndef ROSTER_USERSPACE_LOOKUP_STATE_NAMES_H_
#define ROSTER_USERSPACE_LOOKUP_STATE_NAMES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "roster_abi.h"

namespace roster {

// "unknown" for a state of a later minor version.
constexpr std::string_view StateName(uint32_t state) {
  switch (state) {
    case ROSTER_FREE:
      return "free";
    case ROSTER_RESERVED:
      return "reserved";
    case ROSTER_PENDING:
      return "pending";
    case ROSTER_BOUND:
      return "running";
    case ROSTER_EXITING:
      return "exiting";
    case ROSTER_ENDED:
      return "ended";
    default:
      return "unknown";
  }
}

// In the order of the bits; bits of a later minor version are left out.
inline std::vector<std::string_view> FlagNames(uint32_t flags) {
  static constexpr struct {
    uint32_t flag;
    std::string_view name;
  } kNames[] = {{ROSTER_F_PROVISIONAL, "provisional"},
                {ROSTER_F_HOST_NETWORK, "host-network"},
                {ROSTER_F_HOST_PID, "host-pid"},
                {ROSTER_F_POD, "pod"},
                {ROSTER_F_NESTED, "nested"},
                {ROSTER_F_JOIN, "join"},
                {ROSTER_F_SANDBOX, "sandbox"},
                {ROSTER_F_SHARED_MNTNS, "shared-mntns"},
                {ROSTER_F_SHARED_NETNS, "shared-netns"}};
  std::vector<std::string_view> names;
  for (const auto& entry : kNames) {
    if ((flags & entry.flag) != 0) names.push_back(entry.name);
  }
  return names;
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_LOOKUP_STATE_NAMES_H_
