// PubSubDispatcher is the GadgetPubSub there is: strands of calls, one a subscriber, on threads
// that are replaced when one hangs.
//
// Why not a thread for each subscriber: waking ten threads costs more than the ten calls. Here one
// thread runs all subscribers one after the other while they are quick; a publisher that is kept
// waiting brings in a further thread for the subscribers that have not begun. So a subscriber that
// hangs holds one thread and nobody else, and subscribers that wait for one another run at the same
// time. An event all of whose subscribers have no deadline is left to its publisher's own thread:
// nobody could be left behind.
//
// One mutex guards everything, for some nanoseconds at a time. Nothing of a user's runs or is
// destroyed under it, but for filters and initializers, which are called.
#ifndef ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_
#define ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "collection/pubsub_subscription.h"
#include "kernel/mutex.h"
#include "roster/pubsub.h"

namespace roster {

class PubSubDispatcher final : public GadgetPubSub {
 public:
  // A subscription that has ended. To be waited for and destroyed where no lock is held that a
  // callback, or the destructor of one, may want.
  struct Ended {
    std::string key;
    uint64_t number = 0;  // those of `key` up to this one are to be waited for
    std::unique_ptr<pubsub_internal::Subscription> subscription;  // nullptr while it runs
    std::vector<std::unique_ptr<Delivery>> undelivered;           // what nobody else has any more
  };

  PubSubDispatcher() = default;
  ~PubSubDispatcher() override;

  void Publish(EventType type, ContainerPtr container) override;
  void Publish(PubSubEvent event) override;
  Ticket Enqueue(PubSubEvent event) override;
  void Subscribe(std::string_view key, FuncNotify callback, std::function<void()> initializer,
                 SubscriptionOptions options) override;
  void Unsubscribe(std::string_view key) override;
  std::optional<SubscriberStats> Stats(std::string_view key) const override;
  SubscriberStats TotalStats() const override;

  // Subscribe in two steps, for a caller with a lock that callbacks may want: this one does not
  // wait, and returns what WaitUntilIdle is to wait for.
  Ended Replace(std::string_view key, FuncNotify callback, const std::function<void()>& initializer,
                SubscriptionOptions options);
  void WaitUntilIdle(Ended ended);
  // Unsubscribes everybody, and waits as Unsubscribe does, also for those who were unsubscribed
  // before.
  void Shutdown();

 private:
  using Call = pubsub_internal::Call;
  using Subscription = pubsub_internal::Subscription;
  using Subscriptions = std::vector<std::unique_ptr<Subscription>>;

  // pubsub_dispatcher.cc: who subscribes
  Subscriptions::iterator Find(std::string_view key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Ended End(std::unique_ptr<Subscription> subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Left(Subscription* subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitForEnded(std::optional<std::string_view> key, uint64_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // pubsub_publish.cc: publishers
  void Wait(Delivery* delivery) override;
  void Leave(Delivery* delivery) override;
  void Queue(Subscription& subscription, Delivery& delivery, EventType type, bool waited_for)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Both return what nobody holds any more, to be destroyed without the mutex.
  std::unique_ptr<Delivery> Release(Delivery* delivery) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<Delivery> Over(Call& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeCalls(Delivery& delivery) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitUntilOverOrLate(Delivery& delivery, Subscription* caller)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // pubsub_workers.cc: the threads that call subscribers, a publisher's among them
  Subscription* Caller() const;
  void CallWorkers(size_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool StartWorker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work();
  // The first call of one that is not on ready_ any more. Whether it is there again.
  bool RunOne(Subscription& subscription) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SpinForWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  alignas(pubsub_internal::kLinePair) mutable Mutex mutex_;
  // Those with calls that wait and that no thread has taken up.
  pubsub_internal::ReadyList ready_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t publishers_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  // Those that have waited for longer than quick calls take.
  size_t impatient_ ABSL_GUARDED_BY(mutex_) = 0;
  bool spinning_ ABSL_GUARDED_BY(mutex_) = false;
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;

  alignas(pubsub_internal::kLinePair) CondVar work_;  // ready_ has grown, or shutdown_
  CondVar done_;                                      // a call has ended
  Subscriptions subscriptions_ ABSL_GUARDED_BY(mutex_);
  // Ended while they ran, and still running.
  Subscriptions leaving_ ABSL_GUARDED_BY(mutex_);
  uint64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  SubscriberStats gone_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> workers_ ABSL_GUARDED_BY(mutex_);

  // Grows with each event while a worker looks for one without the lock; with it goes where the
  // event lies, to be fetched meanwhile. It may be gone by then.
  alignas(pubsub_internal::kLinePair) std::atomic<uint32_t> posted_{0};
  std::atomic<const void*> posted_at_{nullptr};
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_PUBSUB_DISPATCHER_H_
