// The options that need nothing but the collection itself.
#include <utility>

#include "absl/strings/str_cat.h"
#include "options/once.h"
#include "roster/collection.h"

namespace roster {
Option WithPubSub(std::vector<FuncNotify> callbacks) {
  return Once("WithPubSub", [callbacks = std::move(callbacks)](CollectionSetup& setup) {
    GadgetPubSub& pubsub = setup.EnablePubSub();
    for (size_t i = 0; i < callbacks.size(); ++i) {
      if (callbacks[i] == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("callback ", i, " is empty"));
      }
      pubsub.Subscribe(absl::StrCat("WithPubSub/", i), callbacks[i]);
    }
    return absl::OkStatus();
  });
}

Option WithNodeName(std::string node_name) {
  return Once("WithNodeName", [node_name = std::move(node_name)](CollectionSetup& setup) {
    if (node_name.empty()) return absl::InvalidArgumentError("the name is empty");
    setup.SetNodeName(node_name);
    return absl::OkStatus();
  });
}

Option WithHost() {
  return Once("WithHost", [](CollectionSetup& setup) {
    setup.AddInitialContainers("the host", []() -> absl::StatusOr<std::vector<Container>> {
      Container host;
      host.runtime.container_id = "host";
      host.runtime.container_pid = 1;
      host.k8s.container_name = "host";
      host.cgroup_id = 1;
      host.host_network = true;
      return std::vector<Container>{std::move(host)};
    });
    return absl::OkStatus();
  });
}

Option WithTracerCollection(std::shared_ptr<TracerCollection> tracers, absl::Duration grace) {
  return Once("WithTracerCollection",
              [tracers = std::move(tracers), grace](CollectionSetup& setup) {
                if (tracers == nullptr) {
                  return absl::InvalidArgumentError("there is no tracer collection");
                }
                if (grace < absl::ZeroDuration()) {
                  return absl::InvalidArgumentError("the grace period is less than zero");
                }
                setup.EnablePubSub();
                setup.SetTracerCollection(tracers);
                if (!setup.HasAnywhere("WithRemovedContainers")) setup.KeepRemoved(grace);
                return absl::OkStatus();
              });
}

Option WithRemovedContainers(absl::Duration grace) {
  return Once("WithRemovedContainers", [grace](CollectionSetup& setup) {
    if (grace <= absl::ZeroDuration()) {
      return absl::InvalidArgumentError("the grace period must be more than zero");
    }
    setup.KeepRemoved(grace);
    return absl::OkStatus();
  });
}

Option WithEnricher(std::string name, Enricher enricher) {
  return Option("WithEnricher",
                [name = std::move(name),
                 enricher = std::move(enricher)](CollectionSetup& setup) -> absl::Status {
                  if (enricher == nullptr) {
                    return absl::InvalidArgumentError(absl::StrCat("enricher ", name, " is empty"));
                  }
                  setup.AddEnricher(name, enricher);
                  return absl::OkStatus();
                });
}

Option WithInitialContainers(std::vector<Container> containers) {
  return Option(
      "WithInitialContainers", [containers = std::move(containers)](CollectionSetup& setup) {
        setup.AddInitialContainers(
            "the caller",
            [containers]() -> absl::StatusOr<std::vector<Container>> { return containers; });
        return absl::OkStatus();
      });
}

Option WithOwnerSource(std::shared_ptr<OwnerSource> source) {
  return Once("WithOwnerSource", [source = std::move(source)](CollectionSetup& setup) {
    if (source == nullptr) return absl::InvalidArgumentError("there is no source");
    setup.SetOwnerSource(source);
    return absl::OkStatus();
  });
}

Option WithWarningHandler(std::function<void(std::string_view)> handler) {
  return Once("WithWarningHandler",
              [handler = std::move(handler)](CollectionSetup& setup) -> absl::Status {
                setup.SetWarningHandler(handler);
                return absl::OkStatus();
              });
}

}  // namespace roster
