// Core is the state of a ContainerCollection: the store, who is told of changes, and what
// Initialize started.
//
// One mutex orders all changes and, by queueing events under it, what each subscriber is told.
// Nothing that may take long runs under it: enrichers and subscribers run without it, look-ups
// never take it.
#ifndef ROSTER_USERSPACE_COLLECTION_CORE_H_
#define ROSTER_USERSPACE_COLLECTION_CORE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "collection/pubsub_dispatcher.h"
#include "collection/store.h"
#include "kernel/mutex.h"
#include "roster/collection.h"

namespace roster::collection_internal {

struct NamedEnricher {
  std::string name;
  Enricher enrich;
};

// A container whose enrichers are running.
struct PendingAdd {
  const Container* container;  // as it was given, without what enrichers add
  bool cancelled = false;
  std::thread::id thread = std::this_thread::get_id();
};

// An event that has been queued under the mutex, to be waited for without it.
using Announced = GadgetPubSub::Ticket;

class Core {
 public:
  enum class State { kNew, kInitializing, kOpen, kClosing, kClosed };

  explicit Core(ContainerCollection& collection) : collection_(collection) {}
  ~Core();

  // setup.cc
  absl::Status Initialize(const std::vector<Option>& options);
  void Close();

  // changes.cc
  absl::Status Add(Container&& container, bool initial);
  // `find` says which entry, under the mutex; `is_pending` which of those being added.
  absl::Status Remove(const std::function<Entry*(Store&)>& find,
                      const std::function<bool(const Container&)>& is_pending,
                      std::string_view what);
  absl::Status Update(const std::function<Entry*(Store&)>& find,
                      const std::function<bool(Container*)>& change, std::string_view what);
  absl::Status PublishPreCreate(Container container);
  // Remembers the owner of a living container: an UPDATED, which is waited for.
  void SetOwner(const ContainerPtr& container, OwnerReference owner);

  // subscribe.cc
  absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                      const ContainerSelector& selector,
                                                      FuncNotify callback,
                                                      SubscriptionOptions options);
  absl::Status Unsubscribe(std::string_view key);

  void Warn(std::string_view message);

  // Readable without the mutex from when Initialize has returned.
  const Store& store() const { return store_; }
  const std::string& node_name() const { return node_name_; }
  PubSubDispatcher* pubsub() const { return pubsub_.get(); }
  const std::shared_ptr<OwnerSource>& owner_source() const { return owner_source_; }
  ContainerCollection::Stats GetStats() const;

 private:
  class Setup;
  struct Stage {
    std::string name;
    std::function<absl::Status()> start;
    std::function<void()> stop;
  };
  struct InitialSource {
    std::string name;
    std::function<absl::StatusOr<std::vector<Container>>()> list;
  };

  bool AcceptsLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return state_ == State::kInitializing || state_ == State::kOpen;
  }
  absl::Status NotOpen(std::string_view what) const;
  // FAILED_PRECONDITION, naming what was to be done for which key, where there is none.
  absl::StatusOr<PubSubDispatcher*> Publisher(std::string_view what, std::string_view key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Announced Announce(EventType type, ContainerPtr container, ContainerPtr previous = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Before subscribers are told, and whether or not there are any.
  void TellFollowers(EventType type, const ContainerPtr& container,
                     const ContainerPtr& previous = nullptr) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Enrich(Container* container, bool initial);
  absl::Status Insert(Container&& container, PendingAdd* pending, bool initial);
  absl::Status ReserveAdd(const Container& container, PendingAdd* pending);
  void FinishRemoval(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status RunOptions(const std::vector<Option>& options, Setup* setup);
  absl::Status StartStages();
  void AddInitialContainers();
  void Undo();
  void Forget();
  void ForgetLoop();

  ContainerCollection& collection_;

  mutable Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kNew;
  // Written under mutex_, read anywhere.
  Store store_;
  std::vector<PendingAdd*> pending_ ABSL_GUARDED_BY(mutex_);
  CondVar pending_done_;
  // Ids whose removal came during Initialize: an initial list that was taken before may bring them.
  std::set<std::string> ended_early_ ABSL_GUARDED_BY(mutex_);

  // Set by options, then left alone until the next Initialize or the end: a call that came before
  // Close may still be reading them.
  std::vector<NamedEnricher> enrichers_;
  std::vector<NamedEnricher> initial_enrichers_;
  std::vector<InitialSource> initial_sources_;
  std::vector<Stage> stages_;
  std::vector<std::function<void()>> cleanups_;
  std::shared_ptr<PubSubDispatcher> pubsub_;
  // Of an Initialize that failed: somebody may still be waiting in it.
  std::vector<std::shared_ptr<PubSubDispatcher>> former_pubsubs_;
  std::shared_ptr<TracerCollection> tracers_;
  // Told of changes under the mutex: the tracers, and whom options add.
  std::vector<FuncNotify> followers_;
  std::shared_ptr<OwnerSource> owner_source_;
  std::string node_name_;
  std::function<void(std::string_view)> warning_handler_;
  absl::Duration grace_ = absl::ZeroDuration();
  size_t started_stages_ = 0;

  // Forgets removed containers when their time has come; there only with a grace period.
  std::thread forgetter_;
  CondVar forget_;
  bool forgetter_waits_for_any_ ABSL_GUARDED_BY(mutex_) = false;

  std::atomic<uint64_t> added_{0};
  std::atomic<uint64_t> removed_{0};
  std::atomic<uint64_t> updated_{0};
  std::atomic<uint64_t> dropped_{0};
  std::atomic<uint64_t> duplicates_{0};
  std::atomic<uint64_t> invalid_{0};
  std::atomic<uint64_t> warnings_{0};
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_CORE_H_
