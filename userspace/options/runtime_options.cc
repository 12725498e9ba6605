// Options that ask the container engines.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "enrich/make_client.h"
#include "enrich/runtime_enricher.h"
#include "kernel/errors.h"
#include "options/once.h"
#include "roster/options.h"

namespace roster {
namespace {

constexpr char kDisableWarnings[] = "WithDisableContainerRuntimeWarnings";

absl::Status EnrichFrom(const std::vector<RuntimeConfig>& runtimes, CollectionSetup& setup) {
  if (runtimes.empty()) return absl::OkStatus();
  setup.Claim(kNamesEngines);
  std::function<void(std::string_view)> warn = setup.Warner();
  if (setup.HasAnywhere(kDisableWarnings)) warn = [](std::string_view) {};
  std::vector<RuntimeEnricher::Engine> engines;
  for (const RuntimeConfig& runtime : runtimes) {
    absl::StatusOr<std::unique_ptr<EngineClient>> client = MakeEngineClient(runtime);
    if (!client.ok()) return client.status();
    const std::string socket = EngineSocket(runtime);
    if (!setup.Claim(absl::StrCat("the engine at ", socket))) {
      return absl::InvalidArgumentError(
          absl::StrCat("container runtime ", runtime.name, " is given twice, at ", socket));
    }
    engines.push_back({runtime.name, runtime.host_root, *std::move(client)});
  }
  const bool hooked =
      setup.HasAnywhere("WithContainerFanotifyEbpf") || setup.HasAnywhere("WithRuncFanotify");
  const auto enricher = std::make_shared<RuntimeEnricher>(
      engines, RuntimeEnricher::Surroundings{.collection = &setup.collection(),
                                             .add_initial = setup.InitialAdder(),
                                             .warn = std::move(warn),
                                             .hooked = hooked});
  setup.AddEnricher("container runtime",
                    [enricher](Container* container) { return enricher->Enrich(container); });
  setup.AddFollower([enricher](const PubSubEvent& event) { enricher->Follow(event); });
  setup.AddStarter(
      "container runtime enrichment",
      [enricher] {
        enricher->Start();
        return absl::OkStatus();
      },
      [enricher] { enricher->Stop(); });
  for (const RuntimeEnricher::Engine& engine : engines) {
    setup.AddInitialContainers(engine.name,
                               [enricher, engine]() -> absl::StatusOr<std::vector<Container>> {
                                 return enricher->Initial(engine);
                               });
  }
  return absl::OkStatus();
}

}  // namespace

Option WithContainerRuntimeEnrichment(RuntimeConfig runtime) {
  return Option("WithContainerRuntimeEnrichment",
                [runtimes = std::vector<RuntimeConfig>{std::move(runtime)}](
                    CollectionSetup& setup) { return EnrichFrom(runtimes, setup); });
}

Option WithMultipleContainerRuntimesEnrichment(std::vector<RuntimeConfig> runtimes) {
  return Once("WithMultipleContainerRuntimesEnrichment",
              [runtimes = std::move(runtimes)](CollectionSetup& setup) {
                return EnrichFrom(runtimes, setup);
              });
}

Option WithDisableContainerRuntimeWarnings() {
  // Read by the options above, wherever it stands.
  return Once(kDisableWarnings, [](CollectionSetup&) { return absl::OkStatus(); });
}

}  // namespace roster
