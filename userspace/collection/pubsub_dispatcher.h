// PubSubDispatcher is the GadgetPubSub there is: strands of calls, one a subscriber, on threads
// that are replaced when one hangs.
//
// Why not a thread for each subscriber: waking ten threads costs more than the ten calls. Here one
// thread runs all subscribers one after the other while they are quick; a publisher that is kept
// waiting brings in a further thread for the subscribers that have not begun. So a subscriber that
// hangs holds one thread and nobody else, and subscribers that wait for one another run at the same
// time.
#ifndef ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_
#define ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "kernel/mutex.h"
#include "roster/pubsub.h"

namespace roster {

class PubSubDispatcher final : public GadgetPubSub {
 public:
  struct Subscription;

  PubSubDispatcher() = default;
  ~PubSubDispatcher() override;

  void Publish(EventType type, ContainerPtr container) override;
  void Publish(PubSubEvent event) override;
  std::shared_ptr<Delivery> Enqueue(PubSubEvent event) override;
  void Await(const std::shared_ptr<Delivery>& delivery) override;
  void Subscribe(std::string_view key, FuncNotify callback, std::function<void()> initializer,
                 SubscriptionOptions options) override;
  void Unsubscribe(std::string_view key) override;
  std::optional<SubscriberStats> Stats(std::string_view key) const override;
  SubscriberStats TotalStats() const override;

  // Subscribe in two steps, for a caller with a lock that callbacks may want: this one does not
  // wait, and returns the subscription that was replaced (nullptr: none), for WaitUntilIdle.
  std::shared_ptr<Subscription> Replace(std::string_view key, FuncNotify callback,
                                        const std::function<void()>& initializer,
                                        SubscriptionOptions options);
  void WaitUntilIdle(const std::shared_ptr<Subscription>& subscription);
  // Unsubscribes everybody, and waits as Unsubscribe does.
  void Shutdown();

 private:
  struct Queued {
    std::shared_ptr<Delivery> delivery;
    size_t wait = 0;  // its place among delivery's waits, or kNobodyWaits
    EventType type = EventType::kCreated;
  };
  static constexpr size_t kNobodyWaits = ~size_t{0};

  void Work();
  void RunOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SpinForWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Detach(Subscription& subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Complete(const Queued& queued) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CallWorkers(size_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitFor(Subscription& subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar work_;  // strands_ has grown, or shutdown_
  CondVar done_;  // a call has ended
  std::vector<std::shared_ptr<Subscription>> subscriptions_ ABSL_GUARDED_BY(mutex_);
  // Subscriptions with events waiting that no thread has taken up.
  std::deque<std::shared_ptr<Subscription>> strands_ ABSL_GUARDED_BY(mutex_);
  alignas(64) std::atomic<size_t> strands_hint_{
      0};  // strands_.size(), for who spins without the lock
  std::vector<std::thread> workers_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t publishers_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t impatient_ ABSL_GUARDED_BY(mutex_) =
      0;  // those that have waited for longer than quick calls take
  bool spinning_ ABSL_GUARDED_BY(mutex_) = false;
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  SubscriberStats gone_ ABSL_GUARDED_BY(mutex_);
  size_t gone_busy_ ABSL_GUARDED_BY(mutex_) = 0;  // unsubscribed while they ran, and still running
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_
