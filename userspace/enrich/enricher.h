// What engines know of a container reaches it in two stages: from files at the hold, by asking
// later.
//
//   at the hold, on the event loop:   FillFromEngineState(spec, bundle, &container);
//   once it is bound:                 late.Enqueue(container, [](LateResult r) { post to the loop
//   });
//
// At the hold the engine itself must not be asked: see engine_client.h.
#ifndef ROSTER_USERSPACE_ENRICH_ENRICHER_H_
#define ROSTER_USERSPACE_ENRICH_ENRICHER_H_

#include <roster/container.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "enrich/engine_client.h"
#include "enrich/sockets.h"
#include "runtime/oci_spec.h"

namespace roster {

// Stage 1. Docker's and podman's own files, found from the spec's mounts and the bundle's path.
// Fills what is empty: runtime name, name, image name and id, Kubernetes fields; kubelet's pod
// labels are not there. `host_root` is put before every path. Returns whether anything was found; a
// file that is absent, not root's or broken is not an error here, for the late stage follows. Costs
// one open and read of some kilobytes with docker, of all of the store's containers.json with
// podman: under 1 ms with 1,000 containers. Does not block on anything but the file system.
bool FillFromEngineState(const OciSpec& spec, std::string_view bundle, Container* container,
                         std::string_view host_root = "");

struct LateResult {
  Container container;  // what was enqueued, completed
  // Why it is not complete, once there were tries enough: the last engine's error. Else OK.
  absl::Status status;
  bool changed = false;     // anything was added since the result before
  bool is_sandbox = false;  // the engine says that it is a pod's "pause"
  bool last = true;         // false: it is asked for again, and another result follows
};

struct LateEnricherOptions {
  EngineSockets sockets;  // DiscoverEngineSockets()
  std::string host_root;  // before the paths that are found in /proc
  std::string proc_root = "/proc";
  uint64_t host_mntns = 0;  // 0: the caller's own mount namespace
  // Where there are any, these are asked and no others: of the container's runtime where that is an
  // engine's name, else all.
  std::vector<std::shared_ptr<EngineClient>> clients;
  absl::Duration timeout = absl::Seconds(2);  // of all that one question to an engine takes
  size_t max_queue = 4096;
  // Waits before the tries after the first. An engine that is away is left alone meanwhile,
  // whatever is enqueued.
  std::vector<absl::Duration> retries = {absl::Milliseconds(200), absl::Seconds(1),
                                         absl::Seconds(5), absl::Seconds(30)};
  // After those a container whose engine has never answered is asked about for as long as it lives,
  // each time twice as long after the time before, up to this. So many are at most half of the
  // queue.
  absl::Duration slowest = absl::Minutes(1);
  // Whether it lives, on the enricher's thread. Empty: by its process in proc_root.
  std::function<bool(const Container&)> lives;
};

struct LateEnricherStats {
  uint64_t enqueued = 0;
  uint64_t refused = 0;  // the queue was full
  uint64_t done = 0;
  uint64_t requests = 0;  // to engines
  uint64_t failures = 0;  // of them
};

// Stage 2. One worker thread, started here and joined at destruction; entries that are not done by
// then are dropped without a call. Thread-safe.
class LateEnricher {
 public:
  using Done = std::function<void(LateResult)>;

  explicit LateEnricher(LateEnricherOptions options);
  ~LateEnricher();
  LateEnricher(const LateEnricher&) = delete;
  LateEnricher& operator=(const LateEnricher&) = delete;

  // `done` is called with what was had so far whenever that is more, and a last time, on the worker
  // thread, and must not block: post to an event loop. It must not destroy the enricher.
  // RESOURCE_EXHAUSTED when the queue is full: `done` is then not called.
  // Which engine: the one that runtime_name, bundle and the parent's arguments (the shim's
  // -address) point to; where they are silent every one that is there is asked.
  absl::Status Enqueue(Container container, Done done);

  LateEnricherStats Stats() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_ENRICHER_H_
