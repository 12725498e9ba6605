#include "kernel/held_calls.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "held_call.skel.h"
#include "held_call_abi.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "kernel/libbpf_log.h"

namespace roster {

struct HeldCalls::Skeleton {
  ~Skeleton() { held_call_bpf__destroy(bpf); }
  struct held_call_bpf* bpf = nullptr;
};

HeldCalls::HeldCalls(std::unique_ptr<Skeleton> skeleton) : skeleton_(std::move(skeleton)) {}
HeldCalls::~HeldCalls() = default;

absl::StatusOr<std::unique_ptr<HeldCalls>> HeldCalls::Load() {
  LibbpfLog log;
  auto skeleton = std::make_unique<Skeleton>();
  skeleton->bpf = held_call_bpf__open_and_load();
  if (skeleton->bpf == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        ErrnoStatus("load BPF programs", "held_call", errno).message(), "\n", LibbpfLog::Take()));
  }
  return std::unique_ptr<HeldCalls>(new HeldCalls(std::move(skeleton)));
}

absl::StatusOr<HeldCall> HeldCalls::Read(pid_t tid) const {
  // An iterator is bound to its task when it is linked, so each reading has one of its own.
  union bpf_iter_link_info which = {};
  which.task.tid = static_cast<__u32>(tid);
  LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &which, .iter_info_len = sizeof(which));
  const Fd link(bpf_link_create(bpf_program__fd(skeleton_->bpf->progs.held_call), 0, BPF_TRACE_ITER,
                                &options));
  if (!link.valid()) return ErrnoStatus("link iterator", "held_call", errno);
  const Fd iterator(bpf_iter_create(link.get()));
  if (!iterator.valid()) return ErrnoStatus("run iterator", "held_call", errno);
  roster_held_call answer;
  ssize_t size;
  do {
    size = read(iterator.get(), &answer, sizeof(answer));
  } while (size < 0 && (errno == EINTR || errno == EAGAIN));
  if (size < 0) return ErrnoStatus("read iterator", "held_call", errno);
  if (size != sizeof(answer)) return absl::NotFoundError(absl::StrCat("no task ", tid));
  HeldCall call;
  call.number = answer.number;
  std::copy(std::begin(answer.args), std::end(answer.args), std::begin(call.args));
  return call;
}

}  // namespace roster
