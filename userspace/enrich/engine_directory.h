// EngineDirectory knows which engines to ask about a container, and keeps their clients.
#ifndef ROSTER_USERSPACE_ENRICH_ENGINE_DIRECTORY_H_
#define ROSTER_USERSPACE_ENRICH_ENGINE_DIRECTORY_H_

#include <roster/container.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "enrich/engine_client.h"
#include "enrich/enricher.h"

namespace roster {

// Not thread-safe.
class EngineDirectory {
 public:
  struct Engine {
    std::string socket;
    std::shared_ptr<EngineClient> client;
  };

  explicit EngineDirectory(const LateEnricherOptions& options);

  // Most likely first; empty where nothing speaks for any engine. An id alone names no container
  // (two engines may use one id), so a container of an unknown runtime is looked for only where its
  // id cannot be another's: at its shim's containerd, or by an id of 64 hex digits. The pointers
  // are good until the next call.
  std::vector<Engine*> EnginesFor(const Container& container);

 private:
  enum class Kind { kDocker, kContainerd, kPodman, kCrio };
  void Add(Kind kind, const std::string& socket, const std::string& containerd_namespace,
           std::vector<Engine*>* engines);
  void AddContainerd(const Container& container, const EngineHint& hint,
                     std::vector<Engine*>* engines);
  void AddAll(Kind kind, const std::vector<std::string>& sockets, bool only_existing,
              std::vector<Engine*>* engines);

  const LateEnricherOptions& options_;
  std::vector<Engine> given_;                                          // options_.clients
  absl::flat_hash_map<std::string, std::unique_ptr<Engine>> engines_;  // by kind, socket, namespace
};

// The form of an id that docker, podman and CRI-O give.
bool IsLongHexId(std::string_view id);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_ENGINE_DIRECTORY_H_
