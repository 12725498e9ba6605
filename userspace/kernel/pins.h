// PinnedMaps opens, checks and owns the maps of one pin directory.
#ifndef ROSTER_USERSPACE_KERNEL_PINS_H_
#define ROSTER_USERSPACE_KERNEL_PINS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/bpf_map.h"
#include "kernel/fd.h"
#include "lineage_abi.h"

namespace roster {

// Where the parts of Roster's pins are, below one directory of a BPF file system.
struct PinPaths {
  explicit PinPaths(std::string directory) : root(std::move(directory)) {}
  std::string root;
  std::string internal() const { return root + "/internal"; }  // maps that are no part of the ABI
  std::string links() const { return root + "/links"; }        // attached programs
  std::string tracers() const { return root + "/tracers"; }    // set maps
  // Where the map `name` is pinned.
  std::string MapPath(const std::string& name) const;
};

// What a map must look like to be ours.
struct MapShape {
  const char* name;
  uint32_t type;  // enum bpf_map_type
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  uint32_t flags;
  bool internal;
};

// All maps of this version, the ABI's first.
const std::vector<MapShape>& MapShapes();

// Makes the directories. FAILED_PRECONDITION, saying how to mount one, when `paths.root` is on no
// BPF file system.
absl::Status MakePinDirectories(const PinPaths& paths);

// Checks every pin that exists against MapShapes, and the version that those below internal() were
// made by. FAILED_PRECONDITION, naming the pin and what differs, for one that is foreign, older or
// corrupt; OK for those that do not exist.
absl::Status CheckPins(const PinPaths& paths);

// The map `name` by its pin. The errors of bpf_obj_get(2), naming the pin: NOT_FOUND where there is
// none.
absl::StatusOr<Fd> OpenPin(const PinPaths& paths, const char* name);

// The maps that userspace reads or writes, opened by their pins. The mapped arrays are shared with
// BPF.
struct PinnedMaps {
  // After the programs are loaded, which makes the maps that did not exist.
  static absl::StatusOr<PinnedMaps> Open(const PinPaths& paths);

  MappedArray<roster_abi> abi;
  MappedArray<roster_membership> slots;
  MappedArray<roster_birth> births;
  MappedArray<roster_hot> hot;
  BpfMap<uint64_t, uint64_t> mntns;
  BpfMap<uint64_t, uint64_t> netns;
  BpfMap<uint64_t, uint64_t> cgroup;
  BpfMap<uint64_t, roster_record> records;
  BpfMap<uint64_t, roster_lineage> lineage;
  BpfMap<uint32_t, roster_armed> armed;
  BpfMap<uint64_t, uint64_t> runtimes;
  Fd stats;
  Fd events;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_PINS_H_
