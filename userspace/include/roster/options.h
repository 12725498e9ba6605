// The options of ContainerCollection::Initialize.
//
//   collection.Initialize(WithPubSub(), WithOCIConfigEnrichment(), WithCgroupEnrichment(),
//                         WithLinuxNamespaceEnrichment(), WithContainerFanotifyEbpf());
//
// Enrichers run in the order in which their options are given; what fills in only what is missing
// (the container runtimes) leaves what an earlier one found. Otherwise the order does not matter:
// whatever brings in containers starts when all options have been read. An option that is given
// twice, contradicts another or stands where it would do nothing is INVALID_ARGUMENT.
//
// Enrichers never fail a container for what they cannot read, unless said below: it is a warning.
#ifndef ROSTER_OPTIONS_H_
#define ROSTER_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "roster/container.h"
#include "roster/option.h"
#include "roster/pubsub.h"

namespace roster {

class OwnerSource;
class TracerCollection;

// --- The collection itself
// ---------------------------------------------------------------------------------------

// Lets containers be subscribed to. The functions are subscribed under "WithPubSub/<i>" from the
// beginning, so that initial containers are announced to them.
Option WithPubSub(std::vector<FuncNotify> callbacks = {});
// The name that EnrichNode and the like set. Not empty.
Option WithNodeName(std::string node_name);
// The host as a container: id "host", container name "host", pid 1, cgroup id 1, host network.
Option WithHost();
// Keeps `tracers` in step with the containers, and removed containers resolvable for `grace`; zero:
// not at all, less is INVALID_ARGUMENT. With a hook below, a tracer collection that has no sink of
// its own writes to the hook's pins.
Option WithTracerCollection(std::shared_ptr<TracerCollection> tracers,
                            absl::Duration grace = absl::Seconds(2));
// Removed containers stay resolvable for `grace`, which is more than zero. Their namespaces are not
// kept open: one to which the kernel gives the number meanwhile, and that is no container's that we
// know, is taken for the removed one's.
Option WithRemovedContainers(absl::Duration grace = absl::Seconds(2));
Option WithEnricher(std::string name, Enricher enricher);
Option WithInitialContainers(std::vector<Container> containers);
Option WithOwnerSource(std::shared_ptr<OwnerSource> source);
// Told of failures that are tolerated, one line each, on whatever thread they happen. Affects what
// comes after it.
Option WithWarningHandler(std::function<void(std::string_view)> handler);

// --- What the host knows of a container's init
// ---------------------------------------------------------------------------------------
// `host_root` is where the host's root is mounted, "" (or "/") for the process's own root; its
// /proc is used, so that pids are the host's. A container of pid 0 stays as it is.

// Cgroup paths and id, of the hierarchy whose ids BPF sees. Set where the cgroup can be read;
// otherwise what was known before stays.
Option WithCgroupEnrichment(const std::string& host_root = "");
// Inode numbers of the mount and network namespace, and whether the latter is the host's: that of
// process 1, or where nobody may read that one's, of this process.
Option WithLinuxNamespaceEnrichment(const std::string& host_root = "");
// The time at which init was started. A container of pid 0, or whose init is gone, is dropped.
Option WithProcEnrichment(const std::string& host_root = "");

// --- What the OCI configuration says
// ---------------------------------------------------------------------------------------

// Engine, pod and image from the annotations in Container::oci_config; they overwrite. A pod's
// sandbox ("pause") is dropped. Where there is no configuration, or nothing is missing, it is not
// read.
Option WithOCIConfigEnrichment();
// Bundle and config.json of initial containers, found through what runs them. Comes after at least
// one option that brings initial containers, or may. Reads /proc and bundles in the process's own
// root: it finds nothing of containers whose pids and paths are of another host_root.
Option WithOCIConfigForInitialContainer();

// --- What the container runtimes (engines) say
// ---------------------------------------------------------------------------------------

struct RuntimeConfig {
  std::string name;         // "docker", "containerd", "cri-o", "podman"
  std::string socket_path;  // absolute, below host_root; "": where it is known to listen
  // "internal" or "": the engine's own interface; "cri": the Kubernetes one (docker through
  // cri-dockerd, containerd through its plugin). CRI-O has no other, podman none.
  std::string protocol;
  std::string containerd_namespace;           // "": all but docker's
  std::string host_root;                      // as above; of what the engine names, too
  absl::Duration timeout = absl::Seconds(2);  // of all that one question takes; 1 ms to 1 min
};

// Asks an engine for its running and paused containers once, as initial containers, and for what is
// missing of each container that is added. Existing values stay. A container of which the engine
// says that it is a pod's sandbox is dropped.
//
// Containers are asked for at once where that cannot hang the engine: not with a hook below, whose
// runtimes are held meanwhile, and never podman, which waits with its lock taken. Then, and where
// an engine did not answer, what it says later becomes an UPDATED event (a sandbox is removed).
// An engine that is not there, or that fails, is a warning, asked again for its containers until it
// answers, and never holds up an add for longer than its timeout, nor the next adds for some time.
//
// INVALID_ARGUMENT for an unknown name or protocol, and a timeout that is out of range.
Option WithContainerRuntimeEnrichment(RuntimeConfig runtime);
// The same for several; an empty list is fine, and as if the option were not there. The same engine
// twice, that is one socket, is INVALID_ARGUMENT, also in several options.
Option WithMultipleContainerRuntimesEnrichment(std::vector<RuntimeConfig> runtimes);
// No warnings about engines, wherever among the options it stands.
Option WithDisableContainerRuntimeWarnings();

// --- Containers as they come and go
// ---------------------------------------------------------------------------------------

struct HookOptions {
  std::string pin_dir = "/sys/fs/bpf/roster/v1";
  absl::Duration hold_deadline = absl::Milliseconds(100);  // of a container runtime; at least 1 ms
  uint64_t host_mntns = 0;  // inode of the host's mount namespace; 0: the process's own
  std::string host_root;    // where files that engines name are found
  // Where what must survive a restart is kept: an existing directory of root's; "": nowhere.
  std::string state_dir;
  std::vector<std::string> runtime_paths;  // empty: the known ones
  // Ask the engines that are found for what is missing. Without effect beside an option that names
  // engines, which then asks for all containers.
  bool ask_engines = true;
  // Something does not work; the hook goes on with the rest. On the hook's thread.
  std::function<void(std::string_view)> on_problem;
  // About once a second on the hook's thread, for as long as its loop turns: for a watchdog.
  std::function<void()> on_turn;
  // The hook ended by itself, and no more containers are seen. On the hook's thread.
  std::function<void(const absl::Status&)> on_stopped;
};

// The whole of what the roster daemon does, within this process: pins and kernel programs, the hold
// of runtimes by fanotify, adoption of what already runs, removal at the end. When Initialize
// returns containers are seen, and those that run are added or about to be. Where fanotify is not
// to be had the kernel programs alone find containers, and on_problem says so.
//
// Needs root, and Linux 6.1 or newer with BTF and tracepoints. Lowers the soft RLIMIT_NOFILE a
// little and starts a keeper process that shares the descriptor table; the process must not exec
// itself. Close leaves the pins and the kernel programs at work, as a stopped daemon does.
// ALREADY_EXISTS when a daemon, or another such process, writes to the same pins; INVALID_ARGUMENT
// for a deadline below 1 ms or above 10 s and beside WithRuncFanotify.
Option WithContainerFanotifyEbpf(HookOptions options = {});
// The same, and an error where runtimes cannot be held: fanotify is denied, or the process is not
// in the host's pid namespace.
Option WithRuncFanotify(HookOptions options = {});

}  // namespace roster

#endif  // ROSTER_OPTIONS_H_
