// Option is what ContainerCollection::Initialize takes; CollectionSetup is what an Option works on.
//
// A new option needs nothing of the collection's core, only a function of its own:
//
//   Option WithCgroupEnrichment() {
//     return Option("WithCgroupEnrichment", [](CollectionSetup& setup) -> absl::Status {
//       setup.AddEnricher("cgroup", [](Container* container) { ...; return true; });
//       return absl::OkStatus();
//     });
//   }
#ifndef ROSTER_OPTION_H_
#define ROSTER_OPTION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "roster/container.h"
#include "roster/pubsub.h"

namespace roster {

class ContainerCollection;
class OwnerSource;
class TracerCollection;

// Fills in what it knows of a container; false drops the container. Runs on whatever thread adds
// the container, several at once for different containers.
using Enricher = std::function<bool(Container*)>;

// Collected while the options run, in their order; acted on after the last of them, so that every
// container, the earliest included, passes every enricher:
//   1. starters, in order: what brings in containers begins;
//   2. initial containers are listed, each passes the enrichers and is added unless a starter was
//   faster.
// When anything fails, what has been started is stopped again, in reverse.
class CollectionSetup {
 public:
  virtual ~CollectionSetup() = default;

  // The collection: to be kept by a starter that will add and remove containers. It accepts them
  // from when the starters run until they have been stopped.
  virtual ContainerCollection& collection() = 0;

  virtual void AddEnricher(std::string name, Enricher enricher) = 0;
  // Only for initial containers, before the ordinary enrichers.
  virtual void AddInitialEnricher(std::string name, Enricher enricher) = 0;
  // An error of `list` is a warning: the collection goes on without this source's initial
  // containers.
  virtual void AddInitialContainers(
      std::string source, std::function<absl::StatusOr<std::vector<Container>>()> list) = 0;
  // Adds a container that an initial list brought late: as AddContainer, the initial enrichers
  // included. Good from the starters until they have been stopped.
  virtual std::function<absl::Status(Container)> InitialAdder() = 0;
  // `stop` runs at Close, or at once when a later part of Initialize fails; not when `start` itself
  // fails.
  virtual void AddStarter(std::string name, std::function<absl::Status()> start,
                          std::function<void()> stop) = 0;
  // Runs at Close, or when Initialize fails, after all stops.
  virtual void AddCleanup(std::function<void()> cleanup) = 0;

  // Makes the publisher if there is none yet.
  virtual GadgetPubSub& EnablePubSub() = 0;
  virtual void SetNodeName(std::string node) = 0;
  virtual const std::string& node_name() const = 0;
  virtual void SetOwnerSource(std::shared_ptr<OwnerSource> source) = 0;
  virtual void SetTracerCollection(std::shared_ptr<TracerCollection> tracers) = 0;
  // nullptr when there is none (yet): for starters, which run when all options have.
  virtual std::shared_ptr<TracerCollection> tracer_collection() const = 0;
  // Told of every CREATED, UPDATED (with `previous`) and DELETED before subscribers are, with the
  // writers' lock held: it must be quick and call nothing of the collection. Those of a Close
  // included; not of initial containers that were dropped.
  virtual void AddFollower(FuncNotify follower) = 0;
  // Removed containers stay resolvable by EnrichBy* for `grace`.
  virtual void KeepRemoved(absl::Duration grace) = 0;
  virtual void SetWarningHandler(std::function<void(std::string_view)> handler) = 0;
  // A failure that is tolerated: counted, and told to the handler.
  virtual void Warn(std::string_view message) = 0;
  // The same for enrichers and starters: good for as long as the collection is.
  virtual std::function<void(std::string_view)> Warner() = 0;

  // True when an option of that name came before this one (Has), or is anywhere among them
  // (HasAnywhere). An option whose place matters returns an error of its own.
  virtual bool Has(std::string_view option) const = 0;
  virtual bool HasAnywhere(std::string_view option) const = 0;
  // For what may be given only once by whatever option: false when an option has claimed the same
  // before. A starter sees the claims of all options.
  virtual bool Claim(std::string_view what) = 0;
  virtual bool IsClaimed(std::string_view what) const = 0;
  // How many sources of initial containers have been added so far.
  virtual size_t InitialSources() const = 0;
};

class Option {
 public:
  Option(std::string name, std::function<absl::Status(CollectionSetup&)> apply)
      : name_(std::move(name)), apply_(std::move(apply)) {}

  const std::string& name() const { return name_; }
  absl::Status Apply(CollectionSetup& setup) const { return apply_(setup); }

 private:
  std::string name_;
  std::function<absl::Status(CollectionSetup&)> apply_;
};

}  // namespace roster

#endif  // ROSTER_OPTION_H_
