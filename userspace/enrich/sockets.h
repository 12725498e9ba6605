// Where the engines of this host listen.
#ifndef ROSTER_USERSPACE_ENRICH_SOCKETS_H_
#define ROSTER_USERSPACE_ENRICH_SOCKETS_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace roster {

// Absolute paths, most likely first; each need not exist, then or now.
struct EngineSockets {
  std::vector<std::string> docker;
  std::vector<std::string> containerd;
  std::vector<std::string> podman;
  std::vector<std::string> crio;
};

// The well-known paths, each below `host_root`.
// INSPEKTOR_GADGET_{DOCKER,CONTAINERD,PODMAN,CRIO}_SOCKETPATH in the environment, read likewise
// below `host_root`, goes first. Does no I/O.
EngineSockets DiscoverEngineSockets(std::string_view host_root = "");

// What the process above a container's init says of its engine.
struct EngineHint {
  std::string containerd_socket;     // the shim's -address
  std::string containerd_namespace;  // the shim's -namespace; docker's is "moby"
  std::vector<std::string>
      docker_sockets;  // of the dockerd that runs the containerd at that address
};

// Empty where the parent of `pid` is no containerd shim of root's in the caller's own mount
// namespace, or `pid` is gone. Reads /proc, a few files.
EngineHint ReadEngineHint(pid_t pid, std::string_view proc_root = "/proc",
                          std::string_view host_root = "");

// The unix sockets that a dockerd with these arguments listens on; for tests.
std::vector<std::string> DockerdSockets(const std::vector<std::string>& argv);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_SOCKETS_H_
