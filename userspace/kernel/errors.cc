#include "kernel/errors.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case E2BIG:
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::ErrnoToStatusCode(error);
  }
}

}  // namespace

absl::Status ErrnoStatus(std::string_view operation, std::string_view object, int error) {
  error = std::abs(error);
  return absl::Status(CodeOf(error),
                      absl::StrCat(absl::string_view(operation.data(), operation.size()), " ",
                                   absl::string_view(object.data(), object.size()), ": ",
                                   std::error_code(error, std::generic_category()).message()));
}

}  // namespace roster
