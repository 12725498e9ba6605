// Where the engines of this host listen.
#ifndef ROSTER_USERSPACE_ENRICH_SOCKETS_H_
#define ROSTER_USERSPACE_ENRICH_SOCKETS_H_

#include <sys/types.h>

#include <cstdint>
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

// The well-known paths, each below `host_root`. What the environment has as
// INSPEKTOR_GADGET_{DOCKER,CONTAINERD,PODMAN,CRIO}_SOCKETPATH, likewise below `host_root`, goes
// first. Does no I/O.
EngineSockets DiscoverEngineSockets(std::string_view host_root = "");

// What the process above a container's init says of its engine. Paths have the host's root before
// them.
struct EngineHint {
  std::string containerd_socket;     // the shim's -address
  std::string containerd_namespace;  // the shim's -namespace; docker's is "moby"
  std::vector<std::string>
      docker_sockets;  // of the dockerd that runs the containerd at that address
};

struct HintOptions {
  std::string proc_root = "/proc";
  std::string host_root;
  uint64_t host_mntns = 0;  // 0: the caller's own
};

// Empty where the parent of `pid` is no containerd shim of root's in the host's mount namespace, or
// `pid` is gone: a container cannot point Roster at a socket of its own. Reads a few files of
// /proc.
EngineHint ReadEngineHint(pid_t pid, const HintOptions& options = {});

// The unix sockets that a dockerd with these arguments listens on, as it names them. Empty where it
// was given none.
std::vector<std::string> DockerdSockets(const std::vector<std::string>& argv);

// Those of a daemon.json, its "hosts".
std::vector<std::string> DockerdSocketsFromConfig(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_SOCKETS_H_
