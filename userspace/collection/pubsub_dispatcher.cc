// Who subscribes, and how a subscription ends.
#include "collection/pubsub_dispatcher.h"

#include <algorithm>
#include <utility>

#include "collection/pubsub_spin.h"

namespace roster {

using pubsub_internal::BriefLock;

namespace {

void AddTo(SubscriberStats& total, const SubscriberStats& stats) {
  total.delivered += stats.delivered;
  total.late += stats.late;
  total.threw += stats.threw;
  total.dropped += stats.dropped;
  total.queued += stats.queued;
}

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

PubSubDispatcher::Subscriptions::iterator PubSubDispatcher::Find(std::string_view key) {
  return std::find_if(subscriptions_.begin(), subscriptions_.end(),
                      [key](const auto& subscription) { return subscription->key == key; });
}

PubSubDispatcher::Ended PubSubDispatcher::Replace(std::string_view key, FuncNotify callback,
                                                  const std::function<void()>& initializer,
                                                  SubscriptionOptions options) {
  auto fresh = std::make_unique<Subscription>();
  fresh->key = std::string(key);
  fresh->callback = std::move(callback);
  fresh->options = std::move(options);
  Ended ended;
  MutexLock lock(&mutex_);
  // Before anything is changed: it may throw.
  if (initializer) initializer();
  const auto place = Find(key);
  if (place == subscriptions_.end()) {
    subscriptions_.push_back(std::move(fresh));
    // One that unsubscribed itself may still be running.
    ended.key = std::string(key);
    ended.number = ended_;
  } else {
    ended = End(std::exchange(*place, std::move(fresh)));
  }
  return ended;
}

PubSubDispatcher::Ended PubSubDispatcher::End(std::unique_ptr<Subscription> subscription) {
  Ended ended;
  ended.key = subscription->key;
  ended.number = subscription->ended = ++ended_;
  // What an event is destroyed with is left to whoever holds no lock.
  for (Call* call = std::exchange(subscription->first, nullptr); call != nullptr;) {
    // Its publisher may free it as soon as it is over.
    Call* const next = call->next;
    if (auto delivery = Over(*call)) ended.undelivered.push_back(std::move(delivery));
    call = next;
  }
  subscription->stats.queued = 0;
  AddTo(gone_, subscription->stats);
  if (subscription->running) {
    leaving_.push_back(std::move(subscription));
  } else {
    if (subscription->taken) ready_.Erase(subscription.get());
    ended.subscription = std::move(subscription);
  }
  return ended;
}

void PubSubDispatcher::Left(Subscription* subscription) {
  for (const Subscriptions* all : {&subscriptions_, &leaving_}) {
    for (const auto& other : *all) {
      if (other->waits_for == subscription) other->waits_for = nullptr;
    }
  }
  std::erase_if(leaving_,
                [subscription](const auto& other) { return other.get() == subscription; });
  done_.SignalAll();
}

void PubSubDispatcher::WaitForEnded(std::optional<std::string_view> key, uint64_t number) {
  Subscription* const caller = Caller();
  const auto is_to_be_waited_for = [&](const std::unique_ptr<Subscription>& subscription) {
    if (subscription->ended > number || (key.has_value() && subscription->key != *key)) {
      return false;
    }
    if (caller == nullptr) return true;
    // A circle of calls that wait for the end of one another would stay for ever; only we can close
    // it.
    for (const Subscription* s = subscription.get(); s != nullptr; s = s->waits_for) {
      if (s == caller) return false;
    }
    return true;
  };
  while (true) {
    const auto place = std::find_if(leaving_.begin(), leaving_.end(), is_to_be_waited_for);
    if (place == leaving_.end()) break;
    if (caller != nullptr) caller->waits_for = place->get();
    done_.Wait(&mutex_);
  }
  if (caller != nullptr) caller->waits_for = nullptr;
}

void PubSubDispatcher::WaitUntilIdle(Ended ended) {
  MutexLock lock(&mutex_);
  WaitForEnded(ended.key, ended.number);
}

void PubSubDispatcher::Subscribe(std::string_view key, FuncNotify callback,
                                 std::function<void()> initializer, SubscriptionOptions options) {
  WaitUntilIdle(Replace(key, std::move(callback), initializer, std::move(options)));
}

void PubSubDispatcher::Unsubscribe(std::string_view key) {
  Ended ended;
  MutexLock lock(&mutex_);
  const auto place = Find(key);
  if (place != subscriptions_.end()) {
    ended = End(std::move(*place));
    subscriptions_.erase(place);
  }
  // Also where there is none any more: one that unsubscribed itself may still be running.
  WaitForEnded(key, ended_);
}

void PubSubDispatcher::Shutdown() {
  std::vector<Ended> ended;
  MutexLock lock(&mutex_);
  for (auto& subscription : subscriptions_) ended.push_back(End(std::move(subscription)));
  subscriptions_.clear();
  WaitForEnded(std::nullopt, ended_);
}

std::optional<SubscriberStats> PubSubDispatcher::Stats(std::string_view key) const {
  BriefLock lock(&mutex_);
  for (const auto& subscription : subscriptions_) {
    if (subscription->key == key) return subscription->stats;
  }
  return std::nullopt;
}

SubscriberStats PubSubDispatcher::TotalStats() const {
  BriefLock lock(&mutex_);
  SubscriberStats total = gone_;
  for (const auto& subscription : subscriptions_) AddTo(total, subscription->stats);
  return total;
}

}  // namespace roster
