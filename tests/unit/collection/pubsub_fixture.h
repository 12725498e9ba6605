// What the tests of publishers and subscribers have in common.
#ifndef ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_
#define ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "roster/pubsub.h"

namespace roster {

inline ContainerPtr Named(std::string id) {
  auto c = std::make_shared<Container>();
  c->runtime.container_id = std::move(id);
  return c;
}

inline SubscriptionOptions WithDeadline(absl::Duration deadline) {
  SubscriptionOptions options;
  options.deadline = deadline;
  return options;
}

// Whether `is` comes to be true, in a time that no machine is too slow for.
template <typename Condition>
bool Eventually(Condition is) {
  for (const absl::Time begin = absl::Now(); absl::Now() - begin < absl::Seconds(20);) {
    if (is()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_
