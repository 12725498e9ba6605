#include "lookup/abi_page.h"

#include <sys/stat.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernel/boot_id.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "kernel/living_writer.h"
#include "kernel/shared_field.h"

namespace roster::lookup_internal {
namespace {

uint64_t NamespaceInode(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
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
  if (boot_id.ok() && memcmp(boot_id->data(), copy.boot_id, boot_id->size()) != 0) {
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

roster_abi AbiPage::Copy() const { return CopyShared(*page()); }

uint64_t AbiPage::Changes() const { return __atomic_load_n(&page()->changes, __ATOMIC_ACQUIRE); }

bool AbiPage::IsDaemonAlive() const { return LivingWriter(Copy(), own_pidns_) != 0; }

}  // namespace roster::lookup_internal
