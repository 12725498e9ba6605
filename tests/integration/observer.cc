#include "integration/observer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engines/wait.h"
#include "integration/bpf/first_call_abi.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "observer.skel.h"
#include "stranger.skel.h"

namespace roster::testing {
namespace {

std::string Text(const char* text, size_t size) { return std::string(text, strnlen(text, size)); }

Found ToFound(const first_call_found& found) {
  return {found.handle,
          found.state,
          found.flags,
          Text(found.runtime, sizeof(found.runtime)),
          Text(found.id, sizeof(found.id)),
          Text(found.name, sizeof(found.name))};
}

// Sets a constant of the program's read-only data; its place is known from the type in the
// skeleton.
absl::Status SetHostMntns(bpf_object* object, size_t offset) {
  struct stat host {};
  if (::stat("/proc/self/ns/mnt", &host) != 0)
    return ErrnoStatus("stat", "/proc/self/ns/mnt", errno);
  bpf_map* map = bpf_object__find_map_by_name(object, ".rodata");
  size_t size = 0;
  void* data = map == nullptr ? nullptr : const_cast<void*>(bpf_map__initial_value(map, &size));
  uint64_t inode = host.st_ino;
  if (data == nullptr || offset + sizeof(inode) > size)
    return absl::InternalError("the observer has no .rodata");
  std::memcpy(static_cast<char*>(data) + offset, &inode, sizeof(inode));
  return absl::OkStatus();
}

absl::Status UsePins(bpf_object* object, const std::string& directory) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    if (!absl::StartsWith(name, "roster_")) continue;
    if (directory.empty()) {
      bpf_map__set_pin_path(map, nullptr);
      continue;
    }
    const std::string path = directory + "/" + name;
    Fd pin(bpf_obj_get(path.c_str()));
    if (!pin.valid()) return ErrnoStatus("open the pin", path, errno);
    bpf_map__set_pin_path(map, nullptr);
    if (int error = bpf_map__reuse_fd(map, pin.get()); error != 0)
      return ErrnoStatus("reuse the pin", path, error);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Observer>> Observer::Attach(Kind kind,
                                                           const std::string& pin_directory) {
  std::unique_ptr<Observer> observer(new Observer);
  size_t size = 0;
  const void* bytes =
      kind == Kind::kHeader ? observer_bpf::elf_bytes(&size) : stranger_bpf::elf_bytes(&size);
  LIBBPF_OPTS(bpf_object_open_opts, options,
              .object_name = kind == Kind::kHeader ? "observer" : "stranger");
  observer->object_ = bpf_object__open_mem(bytes, size, &options);
  if (observer->object_ == nullptr) return ErrnoStatus("open", "the observer", errno);
  ROSTER_RETURN_IF_ERROR(SetHostMntns(
      observer->object_, kind == Kind::kHeader
                             ? offsetof(observer_bpf::observer_bpf__rodata, host_mntns)
                             : offsetof(stranger_bpf::stranger_bpf__rodata, host_mntns)));
  ROSTER_RETURN_IF_ERROR(UsePins(observer->object_, pin_directory));
  if (int error = bpf_object__load(observer->object_); error != 0)
    return ErrnoStatus("load", "the observer", error);
  observer->ring_ =
      ring_buffer__new(observer->MapFd("calls"), &Observer::OnCall, observer.get(), nullptr);
  if (observer->ring_ == nullptr) return ErrnoStatus("open", "the observer's ring buffer", errno);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, observer->object_) {
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) return ErrnoStatus("attach", bpf_program__name(program), errno);
    observer->links_.push_back(link);
  }
  return observer;
}

Observer::~Observer() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  ring_buffer__free(ring_);
  bpf_object__close(object_);
}

int Observer::MapFd(const std::string& name) const {
  return bpf_object__find_map_fd_by_name(object_, name.c_str());
}

int Observer::OnCall(void* observer, void* data, size_t size) {
  if (size < sizeof(first_call)) return 0;
  first_call call;
  std::memcpy(&call, data, sizeof(call));
  FirstCall result;
  if (!absl::SimpleAtoi(Text(call.comm, sizeof(call.comm)).substr(2), &result.marker)) return 0;
  result.pid = static_cast<pid_t>(call.pid);
  result.exec_ns = call.exec_ns;
  result.call_ns = call.call_ns;
  result.mntns = call.mntns;
  result.cgroup_id = call.cgroup_id;
  result.by_task = ToFound(call.found[FIRST_CALL_TASK]);
  result.by_mntns = ToFound(call.found[FIRST_CALL_MNTNS]);
  result.by_cgroup = ToFound(call.found[FIRST_CALL_CGROUP]);
  static_cast<Observer*>(observer)->seen_[result.marker] = std::move(result);
  return 0;
}

uint64_t Observer::Lost() const {
  uint32_t zero = 0;
  uint64_t lost = 0;
  int fd = -1;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_) {
    if (absl::EndsWith(bpf_map__name(map), ".bss")) fd = bpf_map__fd(map);
  }
  return bpf_map_lookup_elem(fd, &zero, &lost) == 0 ? lost : 0;
}

absl::StatusOr<FirstCall> Observer::Await(int marker, absl::Time deadline) {
  absl::Status waited = WaitUntil(absl::StrCat("first system call of rc", marker),
                                  {ring_buffer__epoll_fd(ring_)}, deadline, [&] {
                                    ring_buffer__consume(ring_);
                                    return seen_.contains(marker);
                                  });
  if (!waited.ok()) return waited;
  if (uint64_t lost = Lost(); lost != 0)
    return absl::DataLossError(absl::StrCat("the observer lost ", lost, " calls"));
  FirstCall call = std::move(seen_[marker]);
  seen_.erase(marker);
  return call;
}

void Observer::Clear() {
  ring_buffer__consume(ring_);
  seen_.clear();
}

}  // namespace roster::testing
