// What the tests of the runtimes' options have in common: a container of which the id alone is
// known, and how long its answers may take.
#ifndef ROSTER_TESTS_UNIT_OPTIONS_AWAITED_H_
#define ROSTER_TESTS_UNIT_OPTIONS_AWAITED_H_

#include <string>

#include "absl/time/time.h"
#include "roster/container.h"

namespace roster {

inline constexpr absl::Duration kLong = absl::Seconds(30);

inline Container Named(const std::string& id) {
  Container container;
  container.runtime.container_id = id;
  return container;
}

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_OPTIONS_AWAITED_H_
