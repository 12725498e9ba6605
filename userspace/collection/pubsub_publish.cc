// How an event is queued for its subscribers and waited for.
#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "collection/pubsub_dispatcher.h"
#include "collection/pubsub_spin.h"
#include "kernel/clock.h"

namespace roster {

using pubsub_internal::BriefLock;
using pubsub_internal::kLooks;
using pubsub_internal::SpinUntil;

namespace {

// For how long one thread may keep the other subscribers waiting before they get one of their own:
// longer than quick calls take, far shorter than a deadline. Where a deadline is short, a quarter
// of it: the rest is for the thread to begin and for the call.
constexpr absl::Duration kPatience = absl::Microseconds(500);
constexpr int kPatiencePart = 4;

// Nobody sets this clock.
absl::Duration SinceBoot() { return absl::Nanoseconds(MonotonicNs()); }

}  // namespace

GadgetPubSub::Ticket::Ticket(Ticket&& other) noexcept
    : pubsub_(other.pubsub_), delivery_(std::exchange(other.delivery_, nullptr)) {}

GadgetPubSub::Ticket& GadgetPubSub::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  const Ticket given_back(std::move(*this));
  pubsub_ = other.pubsub_;
  delivery_ = std::exchange(other.delivery_, nullptr);
  return *this;
}

GadgetPubSub::Ticket::~Ticket() {
  if (delivery_ != nullptr) pubsub_->Leave(delivery_);
}

void GadgetPubSub::Ticket::Await() {
  if (delivery_ != nullptr) pubsub_->Wait(std::exchange(delivery_, nullptr));
}

void PubSubDispatcher::Publish(EventType type, ContainerPtr container) {
  Publish(PubSubEvent{type, std::move(container), nullptr, absl::Now()});
}

void PubSubDispatcher::Publish(PubSubEvent event) { Enqueue(std::move(event)).Await(); }

void PubSubDispatcher::Queue(Subscription& subscription, Delivery& delivery, EventType type,
                             bool waited_for) {
  Call* const call = &delivery.calls.emplace_back();
  call->subscription = &subscription;
  call->delivery = &delivery;
  call->type = type;
  call->waited_for = waited_for;
  ++delivery.holders;
  if (waited_for) ++delivery.remaining;
  (subscription.first == nullptr ? subscription.first : subscription.last->next) = call;
  subscription.last = call;
  ++subscription.stats.queued;
  if (!subscription.taken) {
    subscription.taken = true;
    ready_.PushBack(&subscription);
  }
}

GadgetPubSub::Ticket PubSubDispatcher::Enqueue(PubSubEvent event) {
  // Outlives the lock: what nobody wants is destroyed without it.
  std::unique_ptr<Delivery> delivery;
  Ticket ticket;
  const Delivery* posted = nullptr;
  {
    BriefLock lock(&mutex_);
    if (subscriptions_.empty()) return {};
    delivery = std::make_unique<Delivery>(std::move(event));
    delivery->calls.reserve(subscriptions_.size());
    Subscription* const caller = Caller();
    // Who is in a callback makes no further call.
    bool for_publisher = caller == nullptr;
    for (const std::unique_ptr<Subscription>& subscription : subscriptions_) {
      EventType type = delivery->event.type;
      if (subscription->options.filter) {
        try {
          const std::optional<EventType> seen_as = subscription->options.filter(delivery->event);
          if (!seen_as.has_value()) continue;
          type = *seen_as;
        } catch (...) {
          ++subscription->stats.threw;
          continue;
        }
      }
      if (subscription->stats.queued >= subscription->options.queue_limit) {
        ++subscription->stats.dropped;
        continue;
      }
      // The caller gets the event when the callback that we are in has returned.
      const bool is_caller = subscription.get() == caller;
      for_publisher = for_publisher && subscription->unlimited();
      if (subscription->behind && !is_caller) ++subscription->stats.late;
      Queue(*subscription, *delivery, type, !is_caller && !subscription->behind);
    }
    if (delivery->calls.empty()) return {};
    delivery->for_publisher = for_publisher;
    if (delivery->remaining < delivery->calls.size() || impatient_ > 0) {
      // Nobody will wait for some of them, and see to it that they get a thread; or somebody has
      // waited too long.
      CallWorkers(ready_.size());
    } else if (!for_publisher && !ready_.empty() && !spinning_) {
      CallWorkers(1);
    }
    if (!for_publisher && spinning_) posted = delivery.get();
    // From here on it is freed by the last who holds it.
    if (delivery->remaining > 0) {
      ticket = Ticket(this, delivery.release());
    } else {
      --delivery.release()->holders;
    }
  }
  // Only now: who comes for it is to find the mutex free.
  if (posted != nullptr) {
    posted_at_.store(posted, std::memory_order_relaxed);
    posted_.fetch_add(1, std::memory_order_release);
  }
  return ticket;
}

std::unique_ptr<GadgetPubSub::Delivery> PubSubDispatcher::Release(Delivery* delivery) {
  return std::unique_ptr<Delivery>(--delivery->holders == 0 ? delivery : nullptr);
}

std::unique_ptr<GadgetPubSub::Delivery> PubSubDispatcher::Over(Call& call) {
  Delivery* const delivery = call.delivery;
  call.over = true;
  if (auto last = Release(delivery)) return last;
  if (!call.waited_for || --delivery->remaining > 0) return nullptr;
  if (publishers_waiting_ > 0) done_.SignalAll();
  // The last thing that is done with it: its publisher may free it at once.
  delivery->state.store(delivery->holders == 1 ? Delivery::State::kYours : Delivery::State::kShared,
                        std::memory_order_release);
  return nullptr;
}

void PubSubDispatcher::Leave(Delivery* delivery) {
  std::unique_ptr<Delivery> last;
  BriefLock lock(&mutex_);
  // Nobody will see to it that all get a thread.
  CallWorkers(ready_.size());
  last = Release(delivery);
}

void PubSubDispatcher::Wait(Delivery* delivery) {
  Subscription* const caller = Caller();
  if (caller == nullptr && delivery->for_publisher) {
    BriefLock lock(&mutex_);
    MakeCalls(*delivery);
  }
  const auto state = [delivery] { return delivery->state.load(std::memory_order_acquire); };
  // A worker that waits here cannot serve the others: no use in looking.
  if (caller == nullptr && SpinUntil(kLooks, [&] { return state() != Delivery::State::kOpen; }) &&
      state() == Delivery::State::kYours) {
    // The worker is done with these, and the next event wants them.
    pubsub_internal::Fetch(&mutex_);
    for (const Call& call : delivery->calls) pubsub_internal::Fetch(call.subscription);
    std::unique_ptr<Delivery>(delivery).reset();
    return;
  }
  std::unique_ptr<Delivery> last;
  BriefLock lock(&mutex_);
  if (delivery->remaining > 0) WaitUntilOverOrLate(*delivery, caller);
  last = Release(delivery);
}

void PubSubDispatcher::MakeCalls(Delivery& delivery) {
  for (const Call& call : delivery.calls) {
    bool has_more = false;
    // Also what was published before and has not been called for yet: it comes first.
    while (!call.over && !call.subscription->running) {
      ready_.Erase(call.subscription);
      has_more = RunOne(*call.subscription);
    }
    // An event of somebody who does not wait, perhaps.
    if (has_more) CallWorkers(1);
  }
}

void PubSubDispatcher::WaitUntilOverOrLate(Delivery& delivery, Subscription* caller) {
  // Two callbacks that publish would wait for one another: from inside one, a subscriber whose own
  // callback waits is not waited for.
  const auto is_waited_for = [caller](const Call& call) {
    return call.waited_for && !call.over && (caller == nullptr || !call.subscription->waiting);
  };
  if (caller != nullptr) {
    caller->waiting = true;
    done_.SignalAll();
  }
  ++publishers_waiting_;
  // A callback that waits here has taken a thread away.
  if (!ready_.empty()) CallWorkers(1);
  const absl::Duration begin = SinceBoot();
  absl::Duration patience = kPatience;
  for (const Call& call : delivery.calls) {
    if (!is_waited_for(call)) continue;
    patience = std::min(patience, call.subscription->options.deadline / kPatiencePart);
  }
  bool impatient = false;
  while (delivery.remaining > 0) {
    if (caller == nullptr && delivery.for_publisher) {
      // Whom somebody else was calling may be free again.
      MakeCalls(delivery);
      if (delivery.remaining == 0) break;
    }
    absl::Duration deadline = -absl::InfiniteDuration();
    for (const Call& call : delivery.calls) {
      if (is_waited_for(call)) deadline = std::max(deadline, call.subscription->options.deadline);
    }
    const absl::Duration waited = SinceBoot() - begin;
    if (!impatient && waited >= patience) {
      impatient = true;
      ++impatient_;
      CallWorkers(ready_.size());
    }
    if (waited >= deadline) {
      // Nobody waits for those any more who have not begun.
      CallWorkers(ready_.size());
      break;
    }
    done_.WaitWithTimeout(&mutex_, (impatient ? deadline : std::min(deadline, patience)) - waited);
  }
  if (impatient) --impatient_;
  --publishers_waiting_;
  if (caller != nullptr) caller->waiting = false;
  for (const Call& call : delivery.calls) {
    if (!is_waited_for(call)) continue;
    call.subscription->behind = true;
    ++call.subscription->stats.late;
  }
}

}  // namespace roster
