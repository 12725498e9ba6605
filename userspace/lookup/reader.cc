#include "roster/reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "kernel/shared_field.h"
#include "lookup/abi_page.h"

namespace roster {

// Apart from the types of the same names in the library, which a program may link too.
using namespace lookup_internal;  // NOLINT(google-build-using-namespace)

namespace {

using MaybeMember = absl::StatusOr<std::optional<Member>>;

// Absences are cached too and the caller chooses the keys, so the cache needs a bound.
constexpr size_t kMaxCached = 4 * ROSTER_MAX_IDENTITIES;
// linux/nsfs.h of Linux 6.11; Debian 12's headers are older.
constexpr unsigned long kNsGetMntnsId = _IOR(0xb7, 0x5, uint64_t);

}  // namespace

class Reader::Impl {
 public:
  enum Kind { kMntns, kNetns, kCgroup };

  absl::Status Open(std::string_view dir);
  MaybeMember FindByIdentity(Kind kind, uint64_t key);
  MaybeMember FindByPid(int pid);
  MaybeMember Find(uint64_t handle);
  absl::StatusOr<std::vector<Member>> List();
  absl::StatusOr<Stats> ReadStats();
  const AbiPage& abi() const { return abi_; }

  std::string pin_dir_;
  uint64_t bpf_calls_ = 0;

 private:
  static constexpr const MapShape* kIdentityShapes[] = {&kMntnsShape, &kNetnsShape, &kCgroupShape};

  const roster_membership* slots() const {
    return static_cast<const roster_membership*>(slot_memory_.data());
  }
  // 0 where the map has no such key.
  absl::StatusOr<uint64_t> LookupHandle(Kind kind, uint64_t key);
  // False where the slot is another's by now.
  bool ReadSlot(uint64_t handle, roster_membership* membership) const;
  absl::Status ReadRecord(uint64_t handle, roster_record* record);
  absl::StatusOr<uint64_t> LookupTask(int pidfd);
  // Drops what was cached before the last change. Called before the maps are read: a change that
  // comes between the two is found by the next call.
  void DropOldCache();

  AbiPage abi_;
  MappedArray slot_memory_;
  Fd identity_[3];
  Fd record_;
  Fd stats_;
  Fd task_;  // empty where the kernel's task storage is not pinned

  uint64_t cached_at_ = 0;
  absl::flat_hash_map<uint64_t, uint64_t> handles_[3];  // 0: known to be absent
  absl::flat_hash_map<uint64_t, std::unique_ptr<roster_record>> records_;
};

absl::Status Reader::Impl::Open(std::string_view dir) {
  pin_dir_ = dir;
  if (access(pin_dir_.c_str(), F_OK) != 0 && errno == ENOENT) {
    return absl::NotFoundError(absl::StrCat(
        "pin directory ", pin_dir_, ": does not exist: no Roster daemon has run here since boot"));
  }
  // The version first: of another one the shapes below say nothing useful.
  ROSTER_ASSIGN_OR_RETURN(abi_, AbiPage::Open(pin_dir_));
  ROSTER_ASSIGN_OR_RETURN(const Fd slot_fd, OpenPinnedMap(pin_dir_, kSlotShape));
  ROSTER_ASSIGN_OR_RETURN(slot_memory_, MappedArray::Map(slot_fd, pin_dir_, kSlotShape));
  for (int kind = 0; kind < 3; ++kind) {
    ROSTER_ASSIGN_OR_RETURN(identity_[kind], OpenPinnedMap(pin_dir_, *kIdentityShapes[kind]));
  }
  ROSTER_ASSIGN_OR_RETURN(record_, OpenPinnedMap(pin_dir_, kRecordShape));
  ROSTER_ASSIGN_OR_RETURN(stats_, OpenPinnedMap(pin_dir_, kStatsShape));
  if (absl::StatusOr<Fd> task = OpenPinnedMap(pin_dir_, kTaskShape); task.ok()) {
    bpf_map_info info = {};
    uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(task->get(), &info, &length) == 0 && info.value_size == 8) {
      task_ = *std::move(task);
    }
  }
  cached_at_ = abi_.Changes();
  return absl::OkStatus();
}

void Reader::Impl::DropOldCache() {
  const uint64_t now = abi_.Changes();
  if (now == cached_at_) return;
  for (auto& handles : handles_) handles.clear();
  records_.clear();
  cached_at_ = now;
}

absl::StatusOr<uint64_t> Reader::Impl::LookupHandle(Kind kind, uint64_t key) {
  auto& cache = handles_[kind];
  if (const auto found = cache.find(key); found != cache.end()) return found->second;
  uint64_t handle = 0;
  ++bpf_calls_;
  if (bpf_map_lookup_elem(identity_[kind].get(), &key, &handle) != 0) {
    if (errno != ENOENT) return ErrnoStatus("look up in map", kIdentityShapes[kind]->name, errno);
    handle = 0;
  }
  if (cache.size() >= kMaxCached) cache.clear();
  cache.emplace(key, handle);
  return handle;
}

bool Reader::Impl::ReadSlot(uint64_t handle, roster_membership* membership) const {
  const uint32_t slot = ROSTER_HANDLE_SLOT(handle);
  if (handle == 0 || slot >= ROSTER_MAX_SLOTS) return false;
  const roster_membership* shared = slots() + slot;
  if (__atomic_load_n(&shared->handle, __ATOMIC_ACQUIRE) != handle) return false;
  *membership = CopyShared(*shared);
  // The handle is the first thing to be cleared when a slot is freed and the last to be set when it
  // is filled, and never the same twice: equal before and after means that nobody else's words are
  // in between.
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  if (__atomic_load_n(&shared->handle, __ATOMIC_RELAXED) != handle) return false;
  return membership->state != ROSTER_FREE && membership->state != ROSTER_RESERVED;
}

absl::Status Reader::Impl::ReadRecord(uint64_t handle, roster_record* record) {
  if (const auto found = records_.find(handle); found != records_.end()) {
    *record = *found->second;
    return absl::OkStatus();
  }
  auto fresh = std::make_unique<roster_record>();
  ++bpf_calls_;
  if (bpf_map_lookup_elem(record_.get(), &handle, fresh.get()) != 0) {
    if (errno != ENOENT) return ErrnoStatus("look up in map", kRecordShape.name, errno);
    *fresh = {};
  }
  // Texts end with a NUL by contract; a corrupt map must not make a reader run past the field.
  for (auto [text, bytes] : {std::pair<char*, size_t>{fresh->runtime, sizeof(fresh->runtime)},
                             {fresh->id, sizeof(fresh->id)},
                             {fresh->name, sizeof(fresh->name)},
                             {fresh->pod_namespace, sizeof(fresh->pod_namespace)},
                             {fresh->pod_name, sizeof(fresh->pod_name)},
                             {fresh->pod_uid, sizeof(fresh->pod_uid)},
                             {fresh->k8s_container, sizeof(fresh->k8s_container)},
                             {fresh->image, sizeof(fresh->image)},
                             {fresh->labels, sizeof(fresh->labels)}}) {
    text[bytes - 1] = '\0';
  }
  *record = *fresh;
  if (records_.size() >= kMaxCached) records_.clear();
  records_.emplace(handle, std::move(fresh));
  return absl::OkStatus();
}

MaybeMember Reader::Impl::FindByIdentity(Kind kind, uint64_t key) {
  DropOldCache();
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, LookupHandle(kind, key));
  if (handle == 0) return std::nullopt;
  std::optional<Member> member(std::in_place);
  member->handle = handle;
  if (!ReadSlot(handle, &member->membership)) return std::nullopt;
  // The kernel reuses inode numbers at once: the slot must agree where it knows better. A cgroup
  // may be a child of the one in the slot, and its ids are never reused.
  const roster_membership& held = member->membership;
  if (kind == kMntns && held.mntns != 0 && held.mntns != key) return std::nullopt;
  if (kind == kNetns && held.netns != 0 && held.netns != key) return std::nullopt;
  ROSTER_RETURN_IF_ERROR(ReadRecord(handle, &member->record));
  return member;
}

MaybeMember Reader::Impl::Find(uint64_t handle) {
  DropOldCache();
  std::optional<Member> member(std::in_place);
  member->handle = handle;
  if (!ReadSlot(handle, &member->membership)) return std::nullopt;
  ROSTER_RETURN_IF_ERROR(ReadRecord(handle, &member->record));
  return member;
}

absl::StatusOr<uint64_t> Reader::Impl::LookupTask(int pidfd) {
  uint64_t handle = 0;
  if (!task_.valid()) return handle;
  ++bpf_calls_;
  if (bpf_map_lookup_elem(task_.get(), &pidfd, &handle) != 0)
    return 0;  // the identity maps serve as well
  return handle;
}

MaybeMember Reader::Impl::FindByPid(int pid) {
  if (pid <= 0)
    return absl::InvalidArgumentError(absl::StrCat("process ", pid, ": not a process id"));
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) {
    if (errno == ESRCH)
      return absl::NotFoundError(absl::StrCat("process ", pid, ": no such process"));
    if (errno == EINVAL) {
      return absl::InvalidArgumentError(absl::StrCat("process ", pid, ": a thread, not a process"));
    }
    return ErrnoStatus("open process", absl::StrCat(pid), errno);
  }
  ROSTER_ASSIGN_OR_RETURN(const uint64_t own, LookupTask(pidfd.get()));
  if (own != 0) {
    ROSTER_ASSIGN_OR_RETURN(auto member, Find(own));
    if (member.has_value()) return member;
  }
  const std::string path = absl::StrCat("/proc/", pid, "/ns/mnt");
  const Fd mntns(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!mntns.valid() || fstat(mntns.get(), &status) != 0) {
    if (errno == ENOENT)
      return absl::NotFoundError(absl::StrCat("process ", pid, ": no such process"));
    return ErrnoStatus("read", path, errno);
  }
  // The number may have passed to another process since the pidfd was taken.
  pollfd ended = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, 0) > 0) {
    return absl::NotFoundError(absl::StrCat("process ", pid, ": ended meanwhile"));
  }
  ROSTER_ASSIGN_OR_RETURN(auto member, FindByIdentity(kMntns, status.st_ino));
  uint64_t id = 0;
  if (member.has_value() && member->membership.mntns_id != 0 &&
      ioctl(mntns.get(), kNsGetMntnsId, &id) == 0 && id != member->membership.mntns_id) {
    return std::nullopt;  // the inode number is the same, the namespace is not
  }
  return member;
}

absl::StatusOr<std::vector<Member>> Reader::Impl::List() {
  DropOldCache();
  std::vector<Member> members;
  for (uint32_t slot = 0; slot < ROSTER_MAX_SLOTS; ++slot) {
    const uint64_t handle = __atomic_load_n(&slots()[slot].handle, __ATOMIC_RELAXED);
    if (handle == 0 || ROSTER_HANDLE_SLOT(handle) != slot) continue;
    Member member;
    member.handle = handle;
    if (!ReadSlot(handle, &member.membership)) continue;
    ROSTER_RETURN_IF_ERROR(ReadRecord(handle, &member.record));
    members.push_back(member);
  }
  return members;
}

absl::StatusOr<Stats> Reader::Impl::ReadStats() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return ErrnoStatus("count", "CPUs", cpus);
  std::vector<uint64_t> per_cpu(static_cast<size_t>(cpus));
  Stats stats = {};
  for (uint32_t i = 0; i < stats.size(); ++i) {
    ++bpf_calls_;
    if (bpf_map_lookup_elem(stats_.get(), &i, per_cpu.data()) != 0) {
      return ErrnoStatus("look up in map", kStatsShape.name, errno);
    }
    for (const uint64_t count : per_cpu) stats[i] += count;
  }
  return stats;
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

absl::StatusOr<Reader> Reader::Open(std::string_view pin_dir) {
  auto impl = std::make_unique<Impl>();
  ROSTER_RETURN_IF_ERROR(impl->Open(pin_dir));
  return Reader(std::move(impl));
}

MaybeMember Reader::FindByMntns(uint64_t inode) {
  return impl_->FindByIdentity(Impl::kMntns, inode);
}
MaybeMember Reader::FindByNetns(uint64_t inode) {
  return impl_->FindByIdentity(Impl::kNetns, inode);
}
MaybeMember Reader::FindByCgroup(uint64_t id) { return impl_->FindByIdentity(Impl::kCgroup, id); }
MaybeMember Reader::FindByPid(int pid) { return impl_->FindByPid(pid); }
MaybeMember Reader::Find(uint64_t handle) { return impl_->Find(handle); }
absl::StatusOr<std::vector<Member>> Reader::List() { return impl_->List(); }
uint64_t Reader::Changes() const { return impl_->abi().Changes(); }
roster_abi Reader::Abi() const { return impl_->abi().Copy(); }
bool Reader::IsDaemonAlive() const { return impl_->abi().IsDaemonAlive(); }
absl::StatusOr<Stats> Reader::ReadStats() { return impl_->ReadStats(); }
const std::string& Reader::pin_dir() const { return impl_->pin_dir_; }
uint64_t Reader::bpf_calls() const { return impl_->bpf_calls_; }

}  // namespace roster
