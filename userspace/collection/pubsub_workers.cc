// The threads that call subscribers.
#include <algorithm>
#include <utility>

#include "collection/pubsub_dispatcher.h"
#include "collection/pubsub_spin.h"

namespace roster {

using pubsub_internal::BriefLock;
using pubsub_internal::kLooks;
using pubsub_internal::SpinUntil;

namespace {

// The callback that this thread is in.
struct Current {
  const PubSubDispatcher* dispatcher = nullptr;
  pubsub_internal::Subscription* subscription = nullptr;
  const Current* outer = nullptr;  // that of another dispatcher, in which this one was published
};
thread_local Current current;

// Whether it returned.
bool Invoke(const pubsub_internal::Call& call) {
  const PubSubEvent& event = call.delivery->event;
  try {
    if (call.type == event.type) {
      call.subscription->callback(event);
    } else {
      PubSubEvent as_seen = event;
      as_seen.type = call.type;
      if (as_seen.type != EventType::kUpdated) as_seen.previous = nullptr;
      call.subscription->callback(as_seen);
    }
  } catch (...) {
    return false;
  }
  return true;
}

}  // namespace

// A callback of another dispatcher is to this one a thread like any other.
PubSubDispatcher::Subscription* PubSubDispatcher::Caller() const {
  for (const Current* c = &current; c != nullptr; c = c->outer) {
    if (c->dispatcher == this) return c->subscription;
  }
  return nullptr;
}

void PubSubDispatcher::CallWorkers(size_t wanted) {
  if (shutdown_) return;
  for (size_t i = 0; i < std::min(wanted, idle_); ++i) work_.Signal();
  while (idle_ < wanted && workers_.size() <= subscriptions_.size() + leaving_.size()) {
    if (!StartWorker()) return;
  }
}

bool PubSubDispatcher::StartWorker() {
  // One that has not yet begun counts as idle from its making, so that it is not made twice.
  ++idle_;
  try {
    workers_.emplace_back([this] { Work(); });
    return true;
  } catch (...) {
    // No thread is to be had. Those there are will come to it, or the next publisher tries again;
    // until then subscribers are late, and counted.
    --idle_;
    return false;
  }
}

bool PubSubDispatcher::SpinForWork() {
  if (spinning_) return false;
  spinning_ = true;
  const uint32_t posted = posted_.load(std::memory_order_relaxed);
  mutex_.Unlock();
  if (SpinUntil(kLooks, [&] { return posted_.load(std::memory_order_acquire) != posted; })) {
    pubsub_internal::Fetch(posted_at_.load(std::memory_order_relaxed));
  }
  BriefLock::Lock(&mutex_);
  spinning_ = false;
  if (ready_.empty()) return false;
  for (const Call& call : ready_.front()->first->delivery->calls) {
    if (!call.over) pubsub_internal::Fetch(call.subscription);
  }
  return true;
}

void PubSubDispatcher::Work() {
  MutexLock lock(&mutex_);
  --idle_;
  while (true) {
    if (!ready_.empty()) {
      Subscription& next = *ready_.PopFront();
      // It may take its time, and nobody looks after the others.
      if (next.unlimited() && !ready_.empty()) CallWorkers(1);
      RunOne(next);
    } else if (shutdown_) {
      return;
    } else if (!SpinForWork() && !shutdown_) {
      ++idle_;
      work_.Wait(&mutex_);
      --idle_;
    }
  }
}

bool PubSubDispatcher::RunOne(Subscription& subscription) {
  Call& call = *subscription.first;
  subscription.first = call.next;
  --subscription.stats.queued;
  subscription.running = true;
  // This call may hang as well: who has waited too long does not wait for it.
  if (impatient_ > 0 && !ready_.empty()) CallWorkers(ready_.size());
  mutex_.Unlock();

  const Current outer = current;
  current = {this, &subscription, &outer};
  const bool returned = Invoke(call);

  BriefLock::Lock(&mutex_);
  ++(returned ? subscription.stats.delivered : subscription.stats.threw);
  if (subscription.ended != 0) ++(returned ? gone_.delivered : gone_.threw);
  if (std::unique_ptr<Delivery> last = Over(call)) {
    mutex_.Unlock();
    last.reset();
    mutex_.Lock();
  }
  if (subscription.ended != 0) {
    // Still running: who waits for the end may then destroy what the callback uses.
    mutex_.Unlock();
    subscription.callback = nullptr;
    subscription.options.filter = nullptr;
    mutex_.Lock();
    current = outer;
    Left(&subscription);
    return false;
  }
  current = outer;
  subscription.running = false;
  // A publisher may be waiting to make its next call itself, or for others that have a deadline.
  if (subscription.unlimited() && publishers_waiting_ > 0) done_.SignalAll();
  if (subscription.first == nullptr) {
    subscription.taken = false;
    subscription.behind = false;
    return false;
  }
  ready_.PushBack(&subscription);
  return true;
}

}  // namespace roster
