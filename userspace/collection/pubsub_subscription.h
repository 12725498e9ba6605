// What a PubSubDispatcher keeps of a subscriber, and of an event on its way to several.
#ifndef ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_
#define ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "collection/line_pair.h"
#include "roster/pubsub.h"

namespace roster {
namespace pubsub_internal {

struct Subscription;

// One event for one subscriber. Guarded by the dispatcher's mutex.
struct Call {
  Subscription* subscription = nullptr;  // never changes; there until the call is over
  GadgetPubSub::Delivery* delivery = nullptr;
  Call* next = nullptr;  // the subscriber's next one
  EventType type = EventType::kCreated;
  bool waited_for = false;
  bool over = false;  // has returned or thrown, or will not be made
};

// One subscriber. Guarded by the dispatcher's mutex, but for what is set before it is known.
struct alignas(kLinePair) Subscription {
  Call* first = nullptr;  // the calls that wait, in the order of publishing
  Call* last = nullptr;
  Subscription* next_ready = nullptr;
  bool taken = false;    // among the ready ones, or being called
  bool running = false;  // a call is under way
  bool waiting = false;  // that call itself waits for other subscribers
  bool behind = false;   // a publisher has given up on it since its queue was last empty
  SubscriberStats stats;

  // The rest is hardly ever written.
  // The how-manieth that ended, once it has: 0 while it lasts.
  alignas(kLinePair) uint64_t ended = 0;
  // Whose end its call waits for.
  Subscription* waits_for = nullptr;

  std::string key;
  FuncNotify callback;
  SubscriptionOptions options;

  // Nobody can be left behind: who publishes may as well make the call.
  bool unlimited() const { return options.deadline == absl::InfiniteDuration(); }
};

// Subscriptions in the order in which they became ready, linked through themselves.
class ReadyList {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  Subscription* front() const { return first_; }
  void PushBack(Subscription* subscription) {
    subscription->next_ready = nullptr;
    (first_ == nullptr ? first_ : last_->next_ready) = subscription;
    last_ = subscription;
    ++size_;
  }
  Subscription* PopFront() {
    Subscription* const front = first_;
    first_ = front->next_ready;
    --size_;
    return front;
  }
  void Erase(const Subscription* subscription) {
    Subscription* before = nullptr;
    for (Subscription* s = first_; s != nullptr; before = s, s = s->next_ready) {
      if (s != subscription) continue;
      (before == nullptr ? first_ : before->next_ready) = s->next_ready;
      if (last_ == s) last_ = before;
      --size_;
      return;
    }
  }

 private:
  Subscription* first_ = nullptr;
  Subscription* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace pubsub_internal

// An event on its way.
class alignas(pubsub_internal::kLinePair) GadgetPubSub::Delivery {
 public:
  enum class State {
    kOpen,
    kShared,  // nobody is left to be waited for; others still use it
    kYours,   // it is the publisher's alone, who frees it without the mutex
  };

  explicit Delivery(PubSubEvent e) : event(std::move(e)) {}

  const PubSubEvent event;
  uint32_t remaining = 0;  // calls that are waited for and not over
  uint32_t holders = 1;    // calls that are not over, and the publisher
  // Its publisher makes the calls, for none has a deadline. Never changes.
  bool for_publisher = false;
  // Complete before another thread knows of it; the counts are guarded by the dispatcher's mutex.
  absl::InlinedVector<pubsub_internal::Call, 4> calls;
  // A publisher looks at it while `remaining` counts down.
  alignas(pubsub_internal::kLinePair) std::atomic<State> state{State::kOpen};
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_
