// What the tests of publishers and subscribers have in common.
#ifndef ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_
#define ROSTER_TESTS_UNIT_COLLECTION_PUBSUB_FIXTURE_H_

#include <pthread.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

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

// The i-th event's container of one of several publishers.
inline ContainerPtr Numbered(int publisher, int i) {
  auto c = std::make_shared<Container>();
  c->mntns = publisher;
  c->netns = i;
  return c;
}

// What a subscriber has seen of Numbered containers, by publisher.
using Seen = std::vector<std::vector<int>>;
inline FuncNotify NoteIn(Seen* seen) {
  return [seen](const PubSubEvent& event) {
    (*seen)[event.container->mntns].push_back(static_cast<int>(event.container->netns));
  };
}
inline void ExpectAllInOrder(const Seen& seen, size_t events) {
  for (const std::vector<int>& of_one : seen) {
    ASSERT_EQ(of_one.size(), events);
    for (size_t i = 0; i < events; ++i) EXPECT_EQ(of_one[i], static_cast<int>(i));
  }
}

// A subscriber, by std::ref, that stays in its call for the container "first" until it is released.
struct HeldAtFirst {
  void operator()(const PubSubEvent& event) {
    if (event.container->runtime.container_id != "first") return;
    begun.count_down();
    release.wait();
    returned = true;
  }
  std::latch begun{1}, release{1};
  std::atomic<bool> returned{false};
};

// Subscribers without a deadline.
class PubSubUnlimited : public ::testing::Test {
 protected:
  void Subscribe(const std::string& key, FuncNotify callback) {
    pubsub_->Subscribe(key, std::move(callback), nullptr, WithDeadline(absl::InfiniteDuration()));
  }
  void Publish(const char* id) { pubsub_->Publish(EventType::kCreated, Named(id)); }
  GadgetPubSub::Ticket Enqueue(const char* id) {
    return pubsub_->Enqueue({EventType::kCreated, Named(id), nullptr, absl::Now()});
  }

  const std::unique_ptr<GadgetPubSub> pubsub_ = NewGadgetPubSub();
};

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
