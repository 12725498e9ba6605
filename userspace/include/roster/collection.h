// ContainerCollection is the set of containers that live on this node.
//
//   ContainerCollection collection;
//   absl::Status status = collection.Initialize(WithPubSub(), WithTracerCollection(tracers));
//   ContainerSelector web;
//   web.k8s.pod_labels["app"] = "web";
//   auto now = collection.Subscribe("me", web, [](const PubSubEvent& event) { ... });
//   if (ContainerPtr c = collection.LookupContainerByMntns(event.mntns)) Print(c->k8s.pod_name);
//   collection.Close();
//
// Thread-safe: any method may be called from any thread and, the destructor apart, from inside any
// callback and enricher. Look-ups take no lock and never wait for a writer. A look-up
// that runs beside an update sees the container as it was or as it is; one that runs beside an add
// or a remove may miss it.
//
// Containers are immutable: a ContainerPtr stays valid, and as it is, for as long as it is held,
// after the container's end and after the collection's.
//
// Before Initialize and after Close look-ups find nothing and changes are FAILED_PRECONDITION.
#ifndef ROSTER_COLLECTION_H_
#define ROSTER_COLLECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "roster/container.h"
#include "roster/events.h"
#include "roster/option.h"
#include "roster/options.h"
#include "roster/owner.h"
#include "roster/pod_map.h"
#include "roster/pubsub.h"
#include "roster/resolver.h"
#include "roster/selector.h"
#include "roster/tracer_collection.h"

namespace roster {

namespace collection_internal {
class Core;
}  // namespace collection_internal

class ContainerCollection : public ContainerResolver {
 public:
  ContainerCollection();
  // Closes.
  ~ContainerCollection() override;
  ContainerCollection(const ContainerCollection&) = delete;
  ContainerCollection& operator=(const ContainerCollection&) = delete;

  // Runs the options in their order, starts what they ask for, adds the initial containers. Other
  // threads may use the collection when it has returned, and those that an option starts while it
  // runs. On an error, which names the option, everything started is stopped again, and Initialize
  // may be called again. FAILED_PRECONDITION when it is initialised already or has been closed.
  absl::Status Initialize(const std::vector<Option>& options);
  template <typename... Options>
  absl::Status Initialize(Options... options) {
    return Initialize(std::vector<Option>{std::move(options)...});
  }
  // Stops what Initialize started, ends subscriptions, waits for callbacks and enrichers that are
  // running, forgets the containers without DELETED events. Closing twice is fine. From inside a
  // callback it waits for all but that call; from inside an enricher too, but not beside a hook,
  // whose thread would wait for itself. A callback without a deadline may be on a thread that an
  // option has started, and must not call it where options start any (engines, hooks).
  void Close();

  // --- Changes
  // ---------------------------------------------------------------------------------------------

  // Runs the enrichers, then adds the container, sets its tracers' bits and publishes CREATED;
  // returns when the subscribers have dealt with that or missed their deadlines. The enrichers run
  // without a lock.
  //
  // INVALID_ARGUMENT: the id is not valid.
  //
  // ALREADY_EXISTS: the same container (SameContainer) is here or being added; nothing is changed
  // or called.
  //
  // ABORTED: an enricher dropped it (the message names it), or it was removed meanwhile.
  absl::Status AddContainer(Container container);

  // Publishes DELETED while the container can still be found, waits as above, then removes it. With
  // several of one id, the one that GetContainer returns. NOT_FOUND when there is none, or it is
  // being removed already: so DELETED is published once. A container that is still being added is
  // dropped, silently.
  absl::Status RemoveContainer(std::string_view id);
  // The one that is like this: with its id and its handle, else the oldest SameContainer. The same
  // errors.
  absl::Status RemoveContainer(const Container& like);
  absl::Status RemoveContainerByHandle(uint64_t handle);

  // Replaces the container's description; the enrichers do not run. Which one: by handle when
  // `container` has one that is here, else the SameContainer of its id. Publishes UPDATED (below)
  // and waits as above, unless nothing differs. NOT_FOUND when it is not here.
  absl::Status UpdateContainer(Container container);
  // The same, by changing a copy of what is there now: no other update can come in between.
  // `change` runs with the writers' lock held: it must be quick and call nothing of the collection.
  // When it returns false nothing is changed. The id and the handle, once set, stay as they are.
  // `like` says which one as in RemoveContainer.
  absl::Status UpdateContainer(std::string_view id, const std::function<bool(Container*)>& change);
  absl::Status UpdateContainer(const Container& like,
                               const std::function<bool(Container*)>& change);
  absl::Status UpdateContainerByHandle(uint64_t handle,
                                       const std::function<bool(Container*)>& change);

  // Tells subscribers of a container that a runtime has been asked to create. Stored nowhere,
  // enriched by nobody, filtered by no selector. Waits as above.
  absl::Status PublishPreCreate(Container container);

  // --- Look-ups
  // --------------------------------------------------------------------------------------------
  // nullptr, 0 or empty when there is nothing. Each costs about a hash look-up and one atomic
  // increment per container returned.

  // With several of one id (two engines may use the same), the oldest that lives.
  ContainerPtr GetContainer(std::string_view id) const;
  std::vector<ContainerPtr> GetContainers(std::string_view id) const;
  // The only container whose id begins with `prefix`: NOT_FOUND for none, FAILED_PRECONDITION
  // ("ambiguous") for several, INVALID_ARGUMENT for an empty prefix. Costs a pass over all
  // containers unless it is a whole id.
  absl::StatusOr<ContainerPtr> GetContainerByIdPrefix(std::string_view prefix) const;
  // With several in one mount namespace, the one added last, as in the reference; when it is
  // removed, the one before it. Number 0 ("unknown") is indexed like any other, as in the
  // reference.
  ContainerPtr LookupContainerByMntns(uint64_t mntns) const override;
  std::vector<ContainerPtr> LookupContainersByMntns(uint64_t mntns) const;
  std::vector<ContainerPtr> LookupContainersByNetns(uint64_t netns) const override;
  // 0 finds nothing in the following.
  ContainerPtr LookupContainerByCgroupId(uint64_t cgroup_id) const;
  ContainerPtr LookupContainerByPid(uint32_t pid) const;
  ContainerPtr LookupContainerByHandle(uint64_t handle) const;
  std::vector<ContainerPtr> LookupContainersByPodUid(std::string_view uid) const;

  uint64_t LookupMntnsByContainer(std::string_view namespace_name, std::string_view pod,
                                  std::string_view container) const override;
  PodMap<uint64_t> LookupMntnsByPod(std::string_view namespace_name,
                                    std::string_view pod) const override;
  uint32_t LookupPIDByContainer(std::string_view namespace_name, std::string_view pod,
                                std::string_view container) const override;
  PodMap<uint32_t> LookupPIDByPod(std::string_view namespace_name,
                                  std::string_view pod) const override;
  // The owner that the container's metadata names, else the one that the OwnerSource
  // (WithOwnerSource) leads to, which is remembered in the container: an UPDATED. May block on that
  // source, and for that event as every change of a container does.
  std::optional<OwnerReference> LookupOwnerReferenceByMntns(uint64_t mntns) override;

  absl::StatusOr<std::vector<ContainerPtr>> GetContainersBySelector(
      const ContainerSelector& selector) const override;
  // Goes through the smallest index among pod, container, label, namespace, uid, id and runtime
  // that the selector pins down; through all containers when it pins down none.
  std::vector<ContainerPtr> GetContainersBySelector(const CompiledSelector& selector) const;

  size_t ContainerLen() const;
  // `callback` sees each container that is there during the whole call exactly once. It runs
  // without a lock.
  void ContainerRange(const std::function<void(const ContainerPtr&)>& callback) const;
  absl::Status ContainerRangeWithSelector(
      const ContainerSelector& selector,
      const std::function<void(const ContainerPtr&)>& callback) const;

  // --- Enrichment of events
  // -------------------------------------------------------------------------------- Living
  // containers first, then those removed less than the grace period ago.

  void EnrichNode(CommonData* event) const;
  void EnrichByMntNs(CommonData* event, uint64_t mntns) const;
  // With one container in the namespace, that container; with several, what they have in common as
  // a pod; with the host's network, only that it is.
  void EnrichByNetNs(CommonData* event, uint64_t netns) const;
  // True when metadata was set.
  bool EnrichEventByMntNs(ContainerInfoFromMountNSID* event) const;
  bool EnrichEventByNetNs(ContainerInfoFromNetNSID* event) const;

  // --- Subscriptions
  // ---------------------------------------------------------------------------------------

  // For each subscriber the events of a container are CREATED (unless it was in the returned list),
  // UPDATED any number of times, DELETED. When an update makes a container match or no longer match
  // the selector, that subscriber gets CREATED or DELETED in its place. PRECREATE is never
  // filtered. The same key replaces. FAILED_PRECONDITION without WithPubSub or
  // WithTracerCollection; INVALID_ARGUMENT for a selector that does not parse. `options.filter` may
  // leave events out; in which form one is seen is the selector's to say. The returned list does
  // not pass it.
  absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                      const ContainerSelector& selector,
                                                      FuncNotify callback) override;
  absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                      const ContainerSelector& selector,
                                                      FuncNotify callback,
                                                      SubscriptionOptions options);
  // Waits for a running call, except from inside it. An unknown key is fine.
  absl::Status Unsubscribe(std::string_view key) override;

  // nullptr when nothing is published.
  GadgetPubSub* pubsub() const;
  const std::string& node_name() const;

  struct Stats {
    uint64_t added = 0;
    uint64_t removed = 0;
    uint64_t updated = 0;
    uint64_t dropped_by_enricher = 0;
    uint64_t duplicates = 0;
    uint64_t invalid = 0;
    uint64_t warnings = 0;
    size_t remembered = 0;  // removed containers that are still resolvable
  };
  Stats GetStats() const;

 private:
  friend class ContainerReader;
  std::unique_ptr<collection_internal::Core> core_;
};

// Borrowed look-ups, for who cannot afford even the increment of a reference count: a pointer is
// valid while the reader lives, on the thread that made it. A reader holds up the freeing of
// memory, nothing else: let it live for one event, not for a loop's life.
class ContainerReader {
 public:
  explicit ContainerReader(const ContainerCollection& collection);
  ~ContainerReader();
  ContainerReader(const ContainerReader&) = delete;
  ContainerReader& operator=(const ContainerReader&) = delete;

  const Container* ById(std::string_view id) const;
  const Container* ByMntns(uint64_t mntns) const;
  const Container* ByCgroupId(uint64_t cgroup_id) const;
  const Container* ByPid(uint32_t pid) const;
  const Container* ByHandle(uint64_t handle) const;
  // The first in the namespace; `callback`, if more are wanted, gets each until it returns false.
  const Container* FirstByNetns(uint64_t netns) const;
  void ForEachInNetns(uint64_t netns, const std::function<bool(const Container&)>& callback) const;

 private:
  const collection_internal::Core& core_;
};

}  // namespace roster

#endif  // ROSTER_COLLECTION_H_
