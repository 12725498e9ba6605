// ErrnoStatus turns an errno into an absl::Status, the one place where that is done.
#ifndef ROSTER_USERSPACE_KERNEL_ERRORS_H_
#define ROSTER_USERSPACE_KERNEL_ERRORS_H_

#include <string_view>

#include "absl/status/status.h"

namespace roster {

// "<operation> <object>: <text of the errno>". `error` may be negative, as libbpf returns it.
// Unlike absl::ErrnoToStatus, E2BIG and ENOSPC (a full map) become RESOURCE_EXHAUSTED.
absl::Status ErrnoStatus(std::string_view operation, std::string_view object, int error);

}  // namespace roster

// Returns from the enclosing function when `expression` yields an error.
#define ROSTER_RETURN_IF_ERROR(expression)                                  \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#define ROSTER_CONCAT_INNER_(a, b) a##b
#define ROSTER_CONCAT_(a, b) ROSTER_CONCAT_INNER_(a, b)
// ROSTER_ASSIGN_OR_RETURN(auto value, StatusOrExpression());
#define ROSTER_ASSIGN_OR_RETURN(declaration, expression) \
  ROSTER_ASSIGN_OR_RETURN_IMPL_(ROSTER_CONCAT_(status_or_, __LINE__), declaration, expression)
#define ROSTER_ASSIGN_OR_RETURN_IMPL_(temporary, declaration, expression) \
  auto temporary = (expression);                                          \
  if (!temporary.ok()) return std::move(temporary).status();              \
  declaration = *std::move(temporary)

#endif  // ROSTER_USERSPACE_KERNEL_ERRORS_H_
