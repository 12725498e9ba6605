#include "lookup/abi_page.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "lookup/shared_copy.h"

namespace roster::lookup_internal {
namespace {

constexpr uint64_t kHeartbeatLimitNs = 3'000'000'000;

std::optional<std::array<uint8_t, 16>> ReadBootId() {
  Fd fd(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t length = fd.valid() ? read(fd.get(), text, sizeof(text)) : -1;
  std::array<uint8_t, 16> id = {};
  size_t digits = 0;
  for (ssize_t i = 0; i < length && digits < 32; ++i) {
    const char c = text[i];
    int value = 0;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      value = c - 'a' + 10;
    } else {
      continue;
    }
    id[digits / 2] = static_cast<uint8_t>(id[digits / 2] << 4 | value);
    ++digits;
  }
  if (digits != 32) return std::nullopt;
  return id;
}

uint64_t NamespaceInode(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

uint64_t BootTimeNs() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Whether what the page says can be relied on.
absl::Status Check(const roster_abi& copy, const std::string& path) {
  if (copy.major == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pin ", path, ": never initialised: the first daemon is still starting, or died early"));
  }
  if (copy.major != ROSTER_ABI_MAJOR) {
    return absl::FailedPreconditionError(absl::StrCat("pin ", path, ": ABI version ", copy.major,
                                                      ".", copy.minor, ", this program reads ",
                                                      ROSTER_ABI_MAJOR));
  }
  const auto boot_id = ReadBootId();
  if (boot_id.has_value() && memcmp(boot_id->data(), copy.boot_id, boot_id->size()) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("pin ", path, ": written under another boot id: its contents are void"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AbiPage> AbiPage::Open(const std::string& pin_dir) {
  AbiPage page;
  ROSTER_ASSIGN_OR_RETURN(const Fd fd, OpenPinnedMap(pin_dir, kAbiShape));
  ROSTER_ASSIGN_OR_RETURN(page.memory_, MappedArray::Map(fd, pin_dir, kAbiShape));
  ROSTER_RETURN_IF_ERROR(Check(page.Copy(), absl::StrCat(pin_dir, "/", kAbiShape.name)));
  page.own_pidns_ = NamespaceInode("/proc/self/ns/pid");
  return page;
}

roster_abi AbiPage::Copy() const { return CopyShared(page()); }

uint64_t AbiPage::Changes() const { return __atomic_load_n(&page()->changes, __ATOMIC_ACQUIRE); }

bool AbiPage::IsDaemonAlive() const {
  const roster_abi copy = Copy();
  if (copy.daemon_pid == 0) return false;
  const uint64_t now = BootTimeNs();
  if (now > copy.heartbeat_ns && now - copy.heartbeat_ns > kHeartbeatLimitNs) return false;
  if (own_pidns_ == 0 || copy.host_pidns != own_pidns_) return true;
  return kill(static_cast<pid_t>(copy.daemon_pid), 0) == 0 || errno == EPERM;
}

}  // namespace roster::lookup_internal
