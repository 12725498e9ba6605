#include "mirror/abi_writer.h"

#include <cstring>

#include "kernel/clock.h"
#include "kernel/living_writer.h"
#include "kernel/shared_field.h"

namespace roster {
void AbiWriter::Announce(const HostIdentity& host, pid_t daemon_pid) {
  roster_hot& hot = maps_.hot[0];
  hot.version = ROSTER_INTERNAL_VERSION;
  hot.cgroup_source = host.cgroup_source;
  hot.hierarchy = host.cgroup_hierarchy;
  hot.host_netns = host.netns;
  hot.host_pidns = host.pidns;
  // Last: the programs do nothing while it is 0.
  StoreField(hot.host_mntns, host.mntns);
  // A daemon killed between counting and arming left it too high, which only costs time; recounted
  // here.
  StoreField(hot.armed, static_cast<uint32_t>(maps_.armed.Keys().size()));

  roster_abi& abi = maps_.abi[0];
  std::memcpy(abi.boot_id, host.boot_id.data(), host.boot_id.size());
  abi.cgroup_source = host.cgroup_source;
  abi.host_mntns = host.mntns;
  abi.host_netns = host.netns;
  abi.host_pidns = host.pidns;
  StoreField(abi.daemon_start_ns, BootTimeNs());
  StoreField(abi.heartbeat_ns, BootTimeNs());
  StoreField(abi.daemon_pid, static_cast<uint32_t>(daemon_pid));
  abi.minor = ROSTER_ABI_MINOR;
  StoreField(abi.major, ROSTER_ABI_MAJOR);
  Changed();
}

void AbiWriter::Heartbeat() { StoreField(maps_.abi[0].heartbeat_ns, BootTimeNs()); }

pid_t AbiWriter::LivingWriter(const HostIdentity& host) const {
  const roster_abi abi = CopyShared(maps_.abi[0]);
  if (std::memcmp(abi.boot_id, host.boot_id.data(), host.boot_id.size()) != 0) return 0;
  return roster::LivingWriter(abi, host.pidns);
}

void AbiWriter::Resign() {
  StoreField(maps_.abi[0].daemon_pid, 0);
  Changed();
}

void AbiWriter::Changed() { AddField(maps_.abi[0].changes, 1); }

}  // namespace roster
