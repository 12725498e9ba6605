// GadgetPubSub tells subscribers of container events, synchronously but never without end.
//
//   std::unique_ptr<GadgetPubSub> pubsub = NewGadgetPubSub();
//   pubsub->Subscribe("mine", [](const PubSubEvent& event) { Attach(event.container); });
//   pubsub->Publish(EventType::kCreated, container);   // returns when "mine" has run
//   pubsub->Unsubscribe("mine");                       // returns when "mine" is not running
#ifndef ROSTER_PUBSUB_H_
#define ROSTER_PUBSUB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "roster/container.h"

namespace roster {

// The numbers are the reference's; kUpdated is ours.
enum class EventType {
  kCreated =
      0,  // the container can be found, and its first instruction has (where a hold allows) not run
  kDeleted = 1,  // it has ended; it can be found until the call returns
  kPreCreate =
      2,  // its runtime has been asked to create it: only id, OCI config and bundle are known
  kUpdated = 3,  // its metadata has changed
};

// "CREATED", "DELETED", "PRECREATE", "UPDATED".
std::string_view EventTypeName(EventType type);
// The type of that name; kCreated for any other text, as in the reference.
EventType EventTypeFromString(std::string_view text);

struct PubSubEvent {
  EventType type = EventType::kCreated;
  ContainerPtr container;  // never nullptr; the very object that the collection holds
  ContainerPtr previous;   // kUpdated: what it replaces; otherwise nullptr
  absl::Time timestamp;
};

using FuncNotify = std::function<void(const PubSubEvent&)>;

struct SubscriptionOptions {
  // For how long a publisher waits for this subscriber. absl::InfiniteDuration(): until it is done.
  // An event whose subscribers are all such is told by the publisher's own thread, which saves the
  // way to another one and back, unless it is in a callback itself. One that hangs keeps its
  // publishers for ever, and an event from those that come after it.
  absl::Duration deadline = absl::Milliseconds(100);
  // Events that may wait for a subscriber that is behind; further ones are lost to it, and counted.
  size_t queue_limit = 16384;
  // Which form of an event this subscriber gets, if any; empty: all as they are. Called with the
  // publisher's lock held: must be quick and must not call back. An event for which it throws is
  // lost to this subscriber, and counted.
  std::function<std::optional<EventType>(const PubSubEvent&)> filter;
};

struct SubscriberStats {
  uint64_t delivered = 0;  // calls that returned
  uint64_t late = 0;       // events for which a publisher stopped waiting
  uint64_t threw = 0;      // calls, and calls of the filter, that ended with an exception
  uint64_t dropped = 0;    // events lost to a full queue
  size_t queued = 0;       // events waiting now
};

// Thread-safe. Every method may be called from inside a callback.
//
// Calls to one subscriber never overlap and come in the order of publishing. Different subscribers
// may run at the same time; those without a deadline may also be called one after the other, so
// that none of them may wait for another. A call that throws is caught and counted.
class GadgetPubSub {
 public:
  class Delivery;

  // The right to wait until an event's subscribers have dealt with it. Not thread-safe; it must not
  // outlive its GadgetPubSub.
  class [[nodiscard]] Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    // Gives it back: the event reaches its subscribers, and nobody waits. (Until then, or Await,
    // those without a deadline may not have been called.)
    ~Ticket();

    // Whether there is anybody to be waited for.
    explicit operator bool() const { return delivery_ != nullptr; }
    // Waits as Publish does, the first time; an empty or spent one returns at once.
    void Await();

   private:
    friend class PubSubDispatcher;
    Ticket(GadgetPubSub* pubsub, Delivery* delivery) : pubsub_(pubsub), delivery_(delivery) {}

    GadgetPubSub* pubsub_ = nullptr;
    Delivery* delivery_ = nullptr;
  };

  // Waits for the calls still running, so it must not be destroyed from inside one, nor while a
  // Publish or an Await is under way; events not yet delivered are lost.
  virtual ~GadgetPubSub() = default;

  // Returns when every subscriber has dealt with the event or has missed its deadline. A subscriber
  // that missed one is not waited for again until it has caught up; it still gets every event, in
  // order. From inside a callback it does not wait for that callback's own subscriber, which gets
  // the event afterwards, nor for one whose callback is itself waiting in Publish.
  virtual void Publish(EventType type, ContainerPtr container) = 0;
  virtual void Publish(PubSubEvent event) = 0;

  // Publish in two steps, for a caller who orders events under a lock of its own and must not wait
  // under it: queues the event for every subscriber there is now. Does not wait, calls nothing but
  // filters, and destroys nothing but what it was given.
  virtual Ticket Enqueue(PubSubEvent event) = 0;

  // Registers `callback` under `key`; the same key replaces (and waits as Unsubscribe does).
  // `initializer`, if given, runs before any event published after it, and no event is published
  // while it runs; it must not call this object. What it throws comes out of here, and nothing has
  // changed.
  virtual void Subscribe(std::string_view key, FuncNotify callback,
                         std::function<void()> initializer = nullptr,
                         SubscriptionOptions options = {}) = 0;

  // No call of the key's callback is running or begins after this returns, and the callback has
  // been destroyed, without a lock held; an unknown key is fine. Blocks for as long as a running
  // callback does, also one that has unsubscribed itself. Two calls are not waited for: the one
  // that this was called from, and one that in turn waits, here, for the end of that one.
  virtual void Unsubscribe(std::string_view key) = 0;

  // nullopt: no such key.
  virtual std::optional<SubscriberStats> Stats(std::string_view key) const = 0;
  // The sums over all subscribers, gone ones included.
  virtual SubscriberStats TotalStats() const = 0;

 private:
  // Of a ticket, which is then spent.
  virtual void Wait(Delivery* delivery) = 0;
  virtual void Leave(Delivery* delivery) = 0;
};

std::unique_ptr<GadgetPubSub> NewGadgetPubSub();

}  // namespace roster

#endif  // ROSTER_PUBSUB_H_
