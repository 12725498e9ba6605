#include "runtime/pid_file.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "runtime/bounded_file.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {

absl::StatusOr<pid_t> ParsePid(std::string_view text) {
  constexpr pid_t kMaxPid = 4194304;
  const auto refuse = [text](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("pid ", QuoteForMessage(text, 32), ": ", why));
  };
  if (text.size() > kMaxPidFileBytes) return refuse("longer than 32 bytes");
  const absl::string_view digits = absl::StripAsciiWhitespace(ToAbsl(text));
  if (digits.empty()) return refuse("no number");
  pid_t pid = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return refuse("not a number");
    pid = pid * 10 + (c - '0');
    if (pid > kMaxPid) return refuse("over the kernel's limit of 4194304");
  }
  if (pid == 0) return refuse("no process has the pid 0");
  return pid;
}

absl::StatusOr<pid_t> ReadPidFileFd(int fd) {
  ROSTER_ASSIGN_OR_RETURN(const std::string text,
                          ReadBoundedFd(fd, "the pid file", {.max_bytes = kMaxPidFileBytes}));
  if (text.empty()) return absl::UnavailableError("the pid file is still empty");
  return ParsePid(text);
}

}  // namespace roster
