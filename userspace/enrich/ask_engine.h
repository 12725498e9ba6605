// AskEngine completes a container's description with what one engine knows of it.
#ifndef ROSTER_USERSPACE_ENRICH_ASK_ENGINE_H_
#define ROSTER_USERSPACE_ENRICH_ASK_ENGINE_H_

#include <roster/container.h>

#include "absl/status/status.h"
#include "enrich/engine_client.h"

namespace roster {

struct EngineAnswer {
  // NOT_FOUND: it has no such container. Another error of the pod's labels is here too, and then
  // the rest has been filled in.
  absl::Status status;
  // Of the image alone, as EngineContainer's; the engine works otherwise.
  absl::Status image_status;
  bool known = false;       // it has the container
  int requests = 0;         // made
  bool changed = false;     // anything was added
  bool is_sandbox = false;  // it is a pod's "pause"
};

// Whether an engine could add anything.
bool NeedsEngine(const Container& container);
// "docker", "containerd", "podman" or "cri-o": what an engine is called, unlike an OCI runtime.
bool IsEngineName(std::string_view runtime_name);

// Fills in what is missing, and the labels of the container's pod. Blocks for the client's timeout
// at most.
EngineAnswer AskEngine(EngineClient* client, Container* container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_ASK_ENGINE_H_
