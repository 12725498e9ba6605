#include "kernel/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adopt.skel.h"
#include "cgroups.skel.h"
#include "kernel/errors.h"
#include "kernel/libbpf_log.h"
#include "lifecycle.skel.h"

namespace roster {
namespace {

constexpr const char* kInternalMaps[] = {"roster_hot", "roster_birth",   "roster_lineage",
                                         "roster_arm", "roster_runtime", "roster_events"};

absl::Status LoadError(const char* name, int error) {
  std::string why;
  if (error == -EPERM || error == -EACCES) {
    why = " (root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN, is needed)";
  } else if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    why = " (the kernel has no BTF: it needs CONFIG_DEBUG_INFO_BTF)";
  }
  const absl::Status status = ErrnoStatus("load BPF programs", name, error);
  return absl::FailedPreconditionError(
      absl::StrCat(status.message(), why, "\n", LibbpfLog::Take()));
}

absl::Status UsePins(struct bpf_object* object, const PinPaths& paths) {
  for (const char* name : kInternalMaps) {
    struct bpf_map* map = bpf_object__find_map_by_name(object, name);
    if (map == nullptr) continue;
    if (int error = bpf_map__set_pin_path(map, paths.MapPath(name).c_str()); error != 0) {
      return ErrnoStatus("set pin path", paths.MapPath(name), error);
    }
  }
  return absl::OkStatus();
}

// Attaches, pins beside the old link and renames over it: at no moment does nobody watch.
absl::Status AttachPinned(struct bpf_program* program, const PinPaths& paths) {
  const std::string name = bpf_program__name(program);
  const std::string path = absl::StrCat(paths.links(), "/", name);
  const std::string fresh = path + "_new";
  std::unique_ptr<struct bpf_link, int (*)(struct bpf_link*)> link(bpf_program__attach(program),
                                                                   bpf_link__destroy);
  if (link == nullptr) return ErrnoStatus("attach", name, errno);
  unlink(fresh.c_str());
  if (int error = bpf_link__pin(link.get(), fresh.c_str()); error != 0) {
    return ErrnoStatus("pin link", fresh, error);
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return ErrnoStatus("rename link over", path, errno);
  // The pin keeps it attached when the descriptor is closed (which a disconnected link's is not).
  return absl::OkStatus();
}

}  // namespace

struct Programs::Skeletons {
  ~Skeletons() {
    lifecycle_bpf__destroy(lifecycle);
    cgroups_bpf__destroy(cgroups);
    adopt_bpf__destroy(adopt);
  }
  struct lifecycle_bpf* lifecycle = nullptr;
  struct cgroups_bpf* cgroups = nullptr;
  struct adopt_bpf* adopt = nullptr;
};

std::vector<std::string> LinkNames() {
  return {"on_exec", "on_fork", "on_exit", "on_free", "on_cgroup_mkdir", "on_cgroup_rmdir"};
}

Programs::Programs(PinPaths paths, std::unique_ptr<Skeletons> skeletons)
    : paths_(std::move(paths)), skeletons_(std::move(skeletons)) {}

Programs::~Programs() = default;

absl::StatusOr<std::unique_ptr<Programs>> Programs::Load(const PinPaths& paths) {
  LibbpfLog log;
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = paths.root.c_str());
  auto skeletons = std::make_unique<Skeletons>();
  skeletons->lifecycle = lifecycle_bpf__open_opts(&options);
  if (skeletons->lifecycle == nullptr) return LoadError("lifecycle", -errno);
  ROSTER_RETURN_IF_ERROR(UsePins(skeletons->lifecycle->obj, paths));
  if (int error = lifecycle_bpf__load(skeletons->lifecycle); error != 0) {
    return LoadError("lifecycle", error);
  }
  skeletons->cgroups = cgroups_bpf__open_opts(&options);
  if (skeletons->cgroups == nullptr) return LoadError("cgroups", -errno);
  ROSTER_RETURN_IF_ERROR(UsePins(skeletons->cgroups->obj, paths));
  if (int error = cgroups_bpf__load(skeletons->cgroups); error != 0)
    return LoadError("cgroups", error);
  skeletons->adopt = adopt_bpf__open_opts(&options);
  if (skeletons->adopt == nullptr) return LoadError("adopt", -errno);
  ROSTER_RETURN_IF_ERROR(UsePins(skeletons->adopt->obj, paths));
  if (int error = adopt_bpf__load(skeletons->adopt); error != 0) return LoadError("adopt", error);
  return std::unique_ptr<Programs>(new Programs(paths, std::move(skeletons)));
}

absl::Status Programs::Attach() {
  LibbpfLog log;
  for (struct bpf_object* object : {skeletons_->lifecycle->obj, skeletons_->cgroups->obj}) {
    struct bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
      ROSTER_RETURN_IF_ERROR(AttachPinned(program, paths_));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Programs::AdoptTasks() {
  std::unique_ptr<struct bpf_link, int (*)(struct bpf_link*)> link(
      bpf_program__attach_iter(skeletons_->adopt->progs.adopt_task, nullptr), bpf_link__destroy);
  if (link == nullptr) return ErrnoStatus("attach iterator", "adopt_task", errno);
  uint64_t total = 0;
  // What forks behind the iterator's back is entered by the next run.
  constexpr int kMostRuns = 8;
  for (int run = 0; run < kMostRuns; ++run) {
    skeletons_->adopt->bss->entered = 0;
    Fd iterator(bpf_iter_create(bpf_link__fd(link.get())));
    if (!iterator.valid()) return ErrnoStatus("run iterator", "adopt_task", errno);
    char buffer[256];
    ssize_t n;
    while ((n = read(iterator.get(), buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EAGAIN)) {
    }
    if (n < 0) return ErrnoStatus("read iterator", "adopt_task", errno);
    if (skeletons_->adopt->bss->entered == 0) break;
    total += skeletons_->adopt->bss->entered;
  }
  return total;
}

}  // namespace roster
