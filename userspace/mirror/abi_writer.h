// AbiWriter writes roster_abi: which host and boot the pins are of, who writes them, and that
// something has changed.
#ifndef ROSTER_USERSPACE_MIRROR_ABI_WRITER_H_
#define ROSTER_USERSPACE_MIRROR_ABI_WRITER_H_

#include <sys/types.h>

#include "kernel/host.h"
#include "kernel/pins.h"

namespace roster {

// Thread-safe.
class AbiWriter {
 public:
  // `maps` must outlive it.
  explicit AbiWriter(PinnedMaps* maps) : maps_(*maps) {}

  // Writes who the host is into roster_abi and roster_hot, before any program is attached; repairs
  // counters that a killed daemon left behind. The heartbeat begins, and must be repeated with
  // Heartbeat.
  void Announce(const HostIdentity& host, pid_t daemon_pid);
  void Heartbeat();
  // The process that writes to these pins now, by its heartbeat; 0: none. For before Announce.
  pid_t LivingWriter(const HostIdentity& host) const;
  // A clean stop: pins stay, daemon_pid becomes 0.
  void Resign();

  // Something in the pins has changed: look-ups that remember ask again.
  void Changed();

 private:
  PinnedMaps& maps_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_ABI_WRITER_H_
