#include "mirror/mirror.h"

#include <bpf/bpf.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "kernel/shared_field.h"
#include "log/log.h"
#include "mirror/record.h"

namespace roster {
namespace {

// How st_dev looks inside the kernel: super_block.s_dev.
uint64_t KernelDevice(uint64_t st_dev) {
  return (static_cast<uint64_t>(major(st_dev)) << 20) | minor(st_dev);
}

void LogRefused(const char* map, const absl::Status& status) {
  LogSparsely(map, LogLevel::kWarning, "a container is missing from a map", {{"error", status}});
}

}  // namespace

Mirror::Mirror(const PinPaths& paths, PinnedMaps maps)
    : maps_(std::move(maps)),
      abi_(&maps_),
      slots_(&maps_),
      tracer_sets_(paths, &slots_, &abi_),
      counters_(maps_.stats.get()),
      pods_(&maps_, &slots_, &counters_) {}

absl::StatusOr<uint64_t> Mirror::ReserveSlot() {
  absl::StatusOr<uint64_t> handle = slots_.Reserve();
  if (!handle.ok()) Count(ROSTER_STAT_SLOTS_FULL);
  return handle;
}

// Where the map is full the container is missing there only, which is logged.
void Mirror::PutNewRecord(uint64_t handle, const Container& container, int64_t started_at_ns) {
  roster_record record = MakeRecord(container);
  record.handle = handle;
  record.created_at_ns = RealTimeNs();
  record.started_at_ns = static_cast<uint64_t>(started_at_ns);
  PutRecord(record).IgnoreError();
}

absl::Status Mirror::PutRecord(const roster_record& record) {
  absl::Status status = maps_.records.Set(record.handle, record);
  if (status.ok()) return status;
  Count(ROSTER_STAT_RECORD_FULL);
  LogRefused("roster_record", status);
  return status;
}

// One that has ended keeps its entries until its last task is freed, which is later than the end of
// its namespace: the number may be another's by then.
absl::Status Mirror::CheckMntnsIsFree(const roster_membership& m) const {
  const std::optional<uint64_t> held = maps_.mntns.Find(m.mntns);
  if (!held || *held == m.handle) return absl::OkStatus();
  const std::optional<roster_membership> other = slots_.Snapshot(*held);
  if (!other || other->state == ROSTER_ENDED) return absl::OkStatus();
  if (m.mntns_id != 0 && other->mntns_id != 0 && m.mntns_id != other->mntns_id) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(
      absl::StrCat("mount namespace ", m.mntns, " is container ", *held, "'s"));
}

// In a map that is full a container is missing; the others still lead to it.
absl::Status Mirror::EnterIdentities(const roster_membership& m) {
  if (m.mntns != 0) {
    ROSTER_RETURN_IF_ERROR(CheckMntnsIsFree(m));
    if (absl::Status status = maps_.mntns.Set(m.mntns, m.handle); !status.ok()) {
      Count(ROSTER_STAT_MNTNS_FULL);
      LogRefused("roster_mntns", status);
    }
  }
  if (absl::Status status = pods_.Enter(m); !status.ok()) LogRefused("roster_netns", status);
  if (m.cgroup_id != 0) {
    if (absl::Status status = maps_.cgroup.Set(m.cgroup_id, m.handle); !status.ok()) {
      Count(ROSTER_STAT_CGROUP_FULL);
      LogRefused("roster_cgroup", status);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Mirror::Adopt(const Container& container, const InitIdentity& init) {
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, ReserveSlot());
  PutNewRecord(handle, container, container.runtime.container_started_at);
  roster_membership& m = maps_.slots[ROSTER_HANDLE_SLOT(handle)];
  m.mntns = container.mntns;
  m.mntns_id = init.mntns_id;
  m.netns = container.host_network ? 0 : static_cast<uint32_t>(container.netns);
  m.netns_cookie = container.host_network ? 0 : init.netns_cookie;
  m.cgroup_id = container.cgroup_id;
  m.init_pid = static_cast<uint32_t>(init.pid);
  m.pid_ns = init.pidns;
  m.bound_ns = BootTimeNs();
  m.flags = (container.host_network ? ROSTER_F_HOST_NETWORK : 0U) |
            (init.pidns == maps_.hot[0].host_pidns ? ROSTER_F_HOST_PID : 0U);
  slots_.Publish(handle, ROSTER_BOUND);
  if (absl::Status status = EnterIdentities(m); !status.ok()) {
    Drop(handle);
    return status;
  }
  abi_.Changed();
  return handle;
}

absl::Status Mirror::BindEarly(const Container& container, const InitIdentity& init) {
  roster_membership* m = slots_.Find(container.handle);
  if (m == nullptr || LoadField(m->state) != ROSTER_PENDING) {
    return absl::NotFoundError(
        absl::StrCat("container ", container.runtime.container_id, " is not waiting for its init"));
  }
  roster_membership asked{};
  asked.handle = container.handle;
  asked.mntns = container.mntns;
  asked.mntns_id = init.mntns_id;
  ROSTER_RETURN_IF_ERROR(CheckMntnsIsFree(asked));
  StoreField(m->mntns_id, init.mntns_id);
  StoreField(m->pid_ns, init.pidns);
  StoreField(m->init_pid, static_cast<uint32_t>(init.pid));
  if (!container.host_network) {
    StoreField(m->netns_cookie, init.netns_cookie);
    StoreField(m->netns, static_cast<uint32_t>(container.netns));
  }
  StoreField(m->cgroup_id, container.cgroup_id);
  StoreField(m->mntns, container.mntns);
  const roster_membership copy = CopyShared(*m);
  ROSTER_RETURN_IF_ERROR(EnterIdentities(copy));
  abi_.Changed();
  return absl::OkStatus();
}

absl::Status Mirror::Update(const Container& container) {
  roster_membership* m = slots_.Find(container.handle);
  if (m == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("container ", container.runtime.container_id, " has ended already"));
  }
  roster_record record = MakeRecord(container);
  if (const std::optional<roster_record> old = maps_.records.Find(container.handle)) {
    record.created_at_ns = old->created_at_ns;
    record.started_at_ns = old->started_at_ns;
  } else {
    record.created_at_ns = RealTimeNs();
  }
  const uint64_t bound_ns = LoadField(m->bound_ns);
  if (record.started_at_ns == 0 && bound_ns != 0) {
    record.started_at_ns = static_cast<uint64_t>(RealTimeOf(bound_ns));
  }
  ROSTER_RETURN_IF_ERROR(PutRecord(record));
  if (!IsUnknown(container)) ClearBits(m->flags, ROSTER_F_PROVISIONAL);
  abi_.Changed();
  return absl::OkStatus();
}

void Mirror::MarkSandbox(uint64_t handle) {
  roster_membership* m = slots_.Find(handle);
  if (m == nullptr) return;
  SetBits(m->flags, ROSTER_F_SANDBOX);
  abi_.Changed();
}

absl::Status Mirror::NoteBound(const Container& container) {
  const std::optional<roster_membership> m = slots_.Snapshot(container.handle);
  if (!m) return absl::OkStatus();
  absl::Status status = pods_.Join(*m, container);
  abi_.Changed();
  return status;
}

void Mirror::Bury(uint64_t handle, absl::Duration grace) {
  {
    MutexLock lock(&mutex_);
    if (!tombstones_.emplace(handle, SteadyNow() + grace).second) return;
  }
  std::optional<roster_record> record = maps_.records.Find(handle);
  if (record) {
    record->flags |= ROSTER_R_TOMBSTONE;
    record->ended_at_ns = RealTimeNs();
    if (!maps_.records.Set(handle, *record).ok()) maps_.records.Remove(handle);
  }
  abi_.Changed();
}

void Mirror::NoteCleared(uint64_t handle, uint32_t flags) {
  pods_.Leave(handle);
  // Looks at every slot: not for each container that ends.
  if ((flags & ROSTER_F_SHARED_MNTNS) != 0) HandOnMntns();
  abi_.Changed();
}

// A shared mount namespace lost its entry with the container that had it: another one's from here.
void Mirror::HandOnMntns() {
  for (uint64_t handle : slots_.Handles()) {
    const std::optional<roster_membership> m = slots_.Snapshot(handle);
    if (!m || (m->flags & ROSTER_F_SHARED_MNTNS) == 0 || m->mntns == 0) continue;
    if (m->state < ROSTER_ENDED) maps_.mntns.Set(m->mntns, handle, BPF_NOEXIST).IgnoreError();
  }
}

uint32_t Mirror::FreeClaimed(uint64_t handle) {
  const roster_membership m = CopyShared(maps_.slots[ROSTER_HANDLE_SLOT(handle)]);
  if (maps_.mntns.Find(m.mntns) == handle) maps_.mntns.Remove(m.mntns);
  if (maps_.netns.Find(m.netns) == handle) maps_.netns.Remove(m.netns);
  if (maps_.cgroup.Find(m.cgroup_id) == handle) maps_.cgroup.Remove(m.cgroup_id);
  slots_.Free(handle);
  return m.flags;
}

void Mirror::Drop(uint64_t handle) {
  uint32_t flags = 0;
  for (uint32_t state : {ROSTER_PENDING, ROSTER_BOUND, ROSTER_EXITING, ROSTER_ENDED}) {
    if (!slots_.Claim(handle, state)) continue;
    flags = FreeClaimed(handle);
    break;
  }
  maps_.records.Remove(handle);
  NoteCleared(handle, flags);
}

absl::Time Mirror::ExpireTombstones(absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  std::vector<uint64_t> due;
  {
    MutexLock lock(&mutex_);
    for (auto it = tombstones_.begin(); it != tombstones_.end();) {
      if (it->second <= now) {
        due.push_back(it->first);
        tombstones_.erase(it++);
      } else {
        next = std::min(next, it->second);
        ++it;
      }
    }
  }
  for (uint64_t handle : due) {
    maps_.records.Remove(handle);
    // Not free yet: a task that nobody waits for stays a zombie, and the freeing of one may not
    // have been told.
    if (slots_.Find(handle) != nullptr) {
      Drop(handle);
    } else {
      pods_.Leave(handle);  // in case its CLEARED was lost
    }
  }
  abi_.Changed();
  return next;
}

absl::Status Mirror::SetRuntimes(const std::vector<RuntimeFile>& files) {
  roster_hot& hot = maps_.hot[0];
  // Old bits stay until the new map is complete: a bit too many costs one look-up.
  absl::flat_hash_map<uint64_t, uint64_t> wanted;
  for (const RuntimeFile& file : files) {
    const uint64_t dev = file.dev == 0 ? 0 : KernelDevice(file.dev);
    const auto [it, fresh] = wanted.emplace(file.ino, dev);
    if (!fresh && it->second != dev) it->second = 0;
  }
  uint64_t filter[4] = {};
  for (const auto& [ino, dev] : wanted) {
    ROSTER_RETURN_IF_ERROR(maps_.runtimes.Set(ino, dev));
    filter[(ino / 64) % 4] |= 1ULL << (ino % 64);
  }
  for (int i = 0; i < 4; ++i) StoreField(hot.runtime_filter[i], filter[i]);
  for (uint64_t ino : maps_.runtimes.Keys()) {
    if (!wanted.contains(ino)) maps_.runtimes.Remove(ino);
  }
  return absl::OkStatus();
}

}  // namespace roster
