#include "collection/pubsub_dispatcher.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/time/clock.h"

namespace roster {
namespace {

// How long a thread looks for what is about to come before it sleeps: some microseconds, about what
// it costs to be woken. A bounded wait, not polling.
constexpr int kSpins = 400;

// For how long one thread may keep the other subscribers waiting before they get one of their own:
// longer than quick calls take, far shorter than a deadline.
constexpr absl::Duration kPatience = absl::Microseconds(500);

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

struct PubSubDispatcher::Subscription {
  std::string key;
  FuncNotify callback;
  SubscriptionOptions options;

  // All guarded by the dispatcher's mutex_.
  std::deque<Queued> queue;
  SubscriberStats stats;
  bool taken = false;    // among strands_, or being run
  bool running = false;  // a call is under way
  bool waiting = false;  // that call is itself in Await
  bool behind = false;   // a publisher has given up on it since its queue was last empty
  bool gone = false;
};

class GadgetPubSub::Delivery {
 public:
  struct Wait {
    std::shared_ptr<PubSubDispatcher::Subscription> subscription;
    absl::Time deadline = absl::InfiniteFuture();
    bool done = false;  // guarded by the dispatcher's mutex_
  };

  explicit Delivery(PubSubEvent e) : event(std::move(e)) {}

  const PubSubEvent event;
  // Written by Enqueue, before any other thread knows of it; `done` and `deadline` later under the
  // mutex.
  absl::InlinedVector<Wait, 2> waits;
  size_t remaining = 0;  // guarded like `done`
  // remaining is 0. On a line of its own: a publisher spins on it while `remaining` counts down.
  alignas(64) std::atomic<bool> complete{false};
};

namespace {
// The subscription whose callback this thread is in.
thread_local PubSubDispatcher::Subscription* current_subscription = nullptr;
}  // namespace

std::unique_ptr<GadgetPubSub> NewGadgetPubSub() { return std::make_unique<PubSubDispatcher>(); }

PubSubDispatcher::~PubSubDispatcher() {
  Shutdown();
  std::vector<std::thread> workers;
  {
    MutexLock lock(&mutex_);
    shutdown_ = true;
    work_.SignalAll();
    workers.swap(workers_);
  }
  for (std::thread& worker : workers) worker.join();
}

void PubSubDispatcher::Publish(EventType type, ContainerPtr container) {
  Publish(PubSubEvent{type, std::move(container), nullptr, absl::Now()});
}

void PubSubDispatcher::Publish(PubSubEvent event) { Await(Enqueue(std::move(event))); }

std::shared_ptr<GadgetPubSub::Delivery> PubSubDispatcher::Enqueue(PubSubEvent event) {
  MutexLock lock(&mutex_);
  if (subscriptions_.empty() || shutdown_) return nullptr;
  auto delivery = std::make_shared<Delivery>(std::move(event));
  bool unwaited = false;
  for (const std::shared_ptr<Subscription>& subscription : subscriptions_) {
    EventType type = delivery->event.type;
    if (subscription->options.filter) {
      const std::optional<EventType> seen_as = subscription->options.filter(delivery->event);
      if (!seen_as.has_value()) continue;
      type = *seen_as;
    }
    if (subscription->queue.size() >= subscription->options.queue_limit) {
      ++subscription->stats.dropped;
      continue;
    }
    size_t wait = kNobodyWaits;
    if (subscription.get() == current_subscription) {
      // It gets the event when the callback that we are in has returned.
    } else if (subscription->behind) {
      ++subscription->stats.late;
    } else {
      wait = delivery->waits.size();
      delivery->waits.push_back({subscription});
    }
    unwaited = unwaited || wait == kNobodyWaits;
    subscription->queue.push_back({delivery, wait, type});
    if (!subscription->taken) {
      subscription->taken = true;
      strands_.push_back(subscription);
    }
  }
  delivery->remaining = delivery->waits.size();
  strands_hint_.store(strands_.size(), std::memory_order_release);
  if (unwaited || impatient_ > 0) {
    // Nobody will wait for some of them, and see to it that they get a thread; or somebody has
    // waited too long.
    CallWorkers(strands_.size());
  } else if (!strands_.empty() && !spinning_) {
    CallWorkers(1);
  }
  if (delivery->waits.empty()) return nullptr;
  return delivery;
}

void PubSubDispatcher::Await(const std::shared_ptr<Delivery>& delivery) {
  if (delivery == nullptr) return;
  // A worker that waits here cannot serve the others: no use in spinning.
  for (int i = 0; i < kSpins && current_subscription == nullptr; ++i) {
    if (delivery->complete.load(std::memory_order_acquire)) return;
    Pause();
  }
  MutexLock lock(&mutex_);
  const absl::Time begin = absl::Now();
  for (Delivery::Wait& wait : delivery->waits) {
    wait.deadline = begin + wait.subscription->options.deadline;
  }
  // Two callbacks that publish would wait for one another: from inside one, a subscriber whose own
  // callback waits is not waited for.
  Subscription* const waiter = current_subscription;
  const auto is_waited_for = [waiter](const Delivery::Wait& wait) {
    return !wait.done && (waiter == nullptr || !wait.subscription->waiting);
  };
  if (waiter != nullptr) {
    waiter->waiting = true;
    done_.SignalAll();
  }
  ++publishers_waiting_;
  // A callback that waits here has taken a thread away.
  if (!strands_.empty()) CallWorkers(1);
  absl::Time patience = begin + kPatience;
  while (delivery->remaining > 0) {
    absl::Time last = absl::InfinitePast();
    for (const Delivery::Wait& wait : delivery->waits) {
      if (is_waited_for(wait)) last = std::max(last, wait.deadline);
    }
    const absl::Time now = absl::Now();
    if (last <= now) break;
    if (patience <= now) {
      ++impatient_;
      patience = absl::InfiniteFuture();
      CallWorkers(strands_.size());
    }
    done_.WaitWithDeadline(&mutex_, std::min(last, patience));
  }
  --publishers_waiting_;
  if (patience == absl::InfiniteFuture()) --impatient_;
  if (waiter != nullptr) waiter->waiting = false;
  for (Delivery::Wait& wait : delivery->waits) {
    if (!is_waited_for(wait)) continue;
    wait.subscription->behind = true;
    ++wait.subscription->stats.late;
  }
}

void PubSubDispatcher::Complete(const Queued& queued) {
  if (queued.wait == kNobodyWaits) return;
  Delivery& delivery = *queued.delivery;
  delivery.waits[queued.wait].done = true;
  if (--delivery.remaining > 0) return;
  delivery.complete.store(true, std::memory_order_release);
  if (publishers_waiting_ > 0) done_.SignalAll();
}

void PubSubDispatcher::CallWorkers(size_t wanted) {
  if (shutdown_) return;
  for (size_t i = 0; i < std::min(wanted, idle_); ++i) work_.Signal();
  // Threads that have not yet begun count as idle from their making, so that one is not made twice.
  for (size_t i = idle_; i < wanted && workers_.size() <= subscriptions_.size() + gone_busy_; ++i) {
    ++idle_;
    workers_.emplace_back([this] { Work(); });
  }
}

bool PubSubDispatcher::SpinForWork() {
  if (spinning_) return false;
  spinning_ = true;
  mutex_.Unlock();
  for (int i = 0; i < kSpins && strands_hint_.load(std::memory_order_acquire) == 0; ++i) Pause();
  mutex_.Lock();
  spinning_ = false;
  return !strands_.empty();
}

void PubSubDispatcher::Work() {
  MutexLock lock(&mutex_);
  --idle_;
  while (true) {
    if (!strands_.empty()) {
      RunOne();
    } else if (shutdown_) {
      return;
    } else if (!SpinForWork() && strands_.empty() && !shutdown_) {
      ++idle_;
      work_.Wait(&mutex_);
      --idle_;
    }
  }
}

void PubSubDispatcher::RunOne() {
  const std::shared_ptr<Subscription> subscription = std::move(strands_.front());
  strands_.pop_front();
  strands_hint_.store(strands_.size(), std::memory_order_relaxed);
  if (subscription->gone || subscription->queue.empty()) {
    subscription->taken = false;
    return;
  }
  const Queued queued = std::move(subscription->queue.front());
  subscription->queue.pop_front();
  subscription->running = true;
  // This call may hang as well: who has waited too long does not wait for it.
  if (impatient_ > 0 && !strands_.empty()) CallWorkers(strands_.size());
  mutex_.Unlock();

  bool threw = false;
  current_subscription = subscription.get();
  try {
    if (queued.type == queued.delivery->event.type) {
      subscription->callback(queued.delivery->event);
    } else {
      PubSubEvent event = queued.delivery->event;
      event.type = queued.type;
      if (event.type != EventType::kUpdated) event.previous = nullptr;
      subscription->callback(event);
    }
  } catch (...) {
    threw = true;
  }
  current_subscription = nullptr;

  mutex_.Lock();
  subscription->running = false;
  ++(threw ? subscription->stats.threw : subscription->stats.delivered);
  Complete(queued);
  if (subscription->gone) {
    subscription->taken = false;
    ++(threw ? gone_.threw : gone_.delivered);
    --gone_busy_;
  } else if (!subscription->queue.empty()) {
    strands_.push_back(subscription);
    strands_hint_.store(strands_.size(), std::memory_order_relaxed);
  } else {
    subscription->taken = false;
    subscription->behind = false;
  }
  if (subscription->gone) done_.SignalAll();
}

void PubSubDispatcher::Detach(Subscription& subscription) {
  subscription.gone = true;
  if (subscription.running) ++gone_busy_;
  for (const Queued& queued : subscription.queue) Complete(queued);
  subscription.queue.clear();
  gone_.delivered += subscription.stats.delivered;
  gone_.late += subscription.stats.late;
  gone_.threw += subscription.stats.threw;
  gone_.dropped += subscription.stats.dropped;
  done_.SignalAll();
}

void PubSubDispatcher::WaitFor(Subscription& subscription) {
  while (subscription.running && current_subscription != &subscription) done_.Wait(&mutex_);
}

std::shared_ptr<PubSubDispatcher::Subscription> PubSubDispatcher::Replace(
    std::string_view key, FuncNotify callback, const std::function<void()>& initializer,
    SubscriptionOptions options) {
  auto fresh = std::make_shared<Subscription>();
  fresh->key = std::string(key);
  fresh->callback = std::move(callback);
  fresh->options = std::move(options);
  MutexLock lock(&mutex_);
  std::shared_ptr<Subscription> old;
  const auto place =
      std::find_if(subscriptions_.begin(), subscriptions_.end(),
                   [key](const std::shared_ptr<Subscription>& s) { return s->key == key; });
  if (initializer) initializer();
  if (place == subscriptions_.end()) {
    subscriptions_.push_back(std::move(fresh));
  } else {
    old = std::exchange(*place, std::move(fresh));
    Detach(*old);
  }
  return old;
}

void PubSubDispatcher::WaitUntilIdle(const std::shared_ptr<Subscription>& subscription) {
  if (subscription == nullptr) return;
  MutexLock lock(&mutex_);
  WaitFor(*subscription);
}

void PubSubDispatcher::Subscribe(std::string_view key, FuncNotify callback,
                                 std::function<void()> initializer, SubscriptionOptions options) {
  WaitUntilIdle(Replace(key, std::move(callback), initializer, std::move(options)));
}

void PubSubDispatcher::Unsubscribe(std::string_view key) {
  MutexLock lock(&mutex_);
  const auto place =
      std::find_if(subscriptions_.begin(), subscriptions_.end(),
                   [key](const std::shared_ptr<Subscription>& s) { return s->key == key; });
  if (place == subscriptions_.end()) return;
  const std::shared_ptr<Subscription> subscription = std::move(*place);
  subscriptions_.erase(place);
  Detach(*subscription);
  WaitFor(*subscription);
}

void PubSubDispatcher::Shutdown() {
  MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  subscriptions.swap(subscriptions_);
  for (const std::shared_ptr<Subscription>& subscription : subscriptions) Detach(*subscription);
  for (const std::shared_ptr<Subscription>& subscription : subscriptions) WaitFor(*subscription);
}

std::optional<SubscriberStats> PubSubDispatcher::Stats(std::string_view key) const {
  MutexLock lock(&mutex_);
  for (const std::shared_ptr<Subscription>& subscription : subscriptions_) {
    if (subscription->key != key) continue;
    SubscriberStats stats = subscription->stats;
    stats.queued = subscription->queue.size();
    return stats;
  }
  return std::nullopt;
}

SubscriberStats PubSubDispatcher::TotalStats() const {
  MutexLock lock(&mutex_);
  SubscriberStats total = gone_;
  for (const std::shared_ptr<Subscription>& subscription : subscriptions_) {
    total.delivered += subscription->stats.delivered;
    total.late += subscription->stats.late;
    total.threw += subscription->stats.threw;
    total.dropped += subscription->stats.dropped;
    total.queued += subscription->queue.size();
  }
  return total;
}

}  // namespace roster
