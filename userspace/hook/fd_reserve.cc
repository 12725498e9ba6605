#include "hook/fd_reserve.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// Fds of the reserve that are not for held events: the scratch slot's, and what a keeper opens to
// settle in.
constexpr rlim_t kSlack = 32;
constexpr rlim_t kEnough = 16 * 1024;

absl::Status SetSoftLimit(rlim_t soft) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoStatus("read", "RLIMIT_NOFILE", errno);
  limit.rlim_cur = std::min(soft, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoStatus("set", absl::StrCat("RLIMIT_NOFILE to ", soft), errno);
  }
  return absl::OkStatus();
}

}  // namespace

FdReserve::~FdReserve() {
  if (owner_ == getpid() && original_limit_ != 0) (void)SetSoftLimit(original_limit_);
}

absl::Status FdReserve::Reserve(uint32_t wanted) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoStatus("read", "RLIMIT_NOFILE", errno);
  owner_ = getpid();
  original_limit_ = limit.rlim_cur;
  if (limit.rlim_max < kEnough) {
    // Needs CAP_SYS_RESOURCE.
    const rlimit raised = {limit.rlim_cur, kEnough};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_max = kEnough;
  }
  const rlim_t hard = std::min<rlim_t>(limit.rlim_max, 1 << 20);
  const rlim_t reserve = std::min<rlim_t>(wanted + kSlack, hard / 2);
  if (reserve <= kSlack) {
    return absl::ResourceExhaustedError(
        absl::StrCat("reserve fds for the keeper: the hard RLIMIT_NOFILE of ", hard,
                     " is too small, raise it (LimitNOFILE=)"));
  }
  reserved_ = static_cast<uint32_t>(reserve - kSlack);
  keeper_limit_ = hard;
  daemon_limit_ = hard - reserve;
  return GiveBack();
}

absl::Status FdReserve::Take() const { return SetSoftLimit(keeper_limit_); }

absl::Status FdReserve::GiveBack() const { return SetSoftLimit(daemon_limit_); }

}  // namespace roster
