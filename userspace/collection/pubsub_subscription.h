// What a PubSubDispatcher keeps of a subscriber, and of an event on its way to several.
#ifndef ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_
#define ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "roster/pubsub.h"

namespace roster {
namespace pubsub_internal {

struct Subscription;

// One event for one subscriber. Guarded by the dispatcher's mutex.
struct Call {
  Subscription* subscription = nullptr;  // there until the call is over
  GadgetPubSub::Delivery* delivery = nullptr;
  Call* next = nullptr;  // the subscriber's next one
  EventType type = EventType::kCreated;
  bool waited_for = false;
  bool over = false;  // has returned or thrown, or will not be made
};

// One subscriber. Guarded by the dispatcher's mutex, but for what is set before it is known.
struct Subscription {
  // A line of memory that publishers and workers hand to one another.
  Call* first = nullptr;  // the calls that wait, in the order of publishing
  Call* last = nullptr;
  bool taken = false;    // among the ready ones, or being called
  bool running = false;  // a call is under way
  bool waiting = false;  // that call itself waits for other subscribers
  bool behind = false;   // a publisher has given up on it since its queue was last empty
  SubscriberStats stats;

  // The how-manieth that ended, once it has: 0 while it lasts.
  uint64_t ended = 0;
  // Whose end its call waits for.
  Subscription* waits_for = nullptr;

  std::string key;
  FuncNotify callback;
  SubscriptionOptions options;
};

}  // namespace pubsub_internal

// An event on its way.
class GadgetPubSub::Delivery {
 public:
  enum class State {
    kOpen,
    kShared,  // nobody is left to be waited for; others still use it
    kYours,   // it is the publisher's alone, who frees it without the mutex
  };

  explicit Delivery(PubSubEvent e) : event(std::move(e)) {}

  const PubSubEvent event;
  // Complete before another thread knows of it; the rest is guarded by the dispatcher's mutex.
  absl::InlinedVector<pubsub_internal::Call, 4> calls;
  size_t remaining = 0;  // calls that are waited for and not over
  size_t holders = 1;    // calls that are not over, and the publisher
  // On a line of its own: a publisher looks at it while `remaining` counts down.
  alignas(64) std::atomic<State> state{State::kOpen};
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_PUBSUB_SUBSCRIPTION_H_
