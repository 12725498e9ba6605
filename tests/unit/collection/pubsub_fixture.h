// What the tests of publishers and subscribers have in common.
#ifndef ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_
#define ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_

#include <pthread.h>

#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
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

// While it lives no thread can be made: each would get a stack of more than there are addresses.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 52);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
    EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_
