// Log writes the daemon's structured log lines to standard error.
//
//   LogInfo("container created", {{"id", id}, {"pid", pid}});
//   level=info msg="container created" id=4f3a pid=4711
//
// Under systemd each line begins with the priority that the journal reads ("<6>") and carries no
// time, which the journal has; elsewhere it begins with time=.... Values are quoted where they must
// be; control characters and bytes that are not printable ASCII or UTF-8 are escaped, so that a
// name from outside can neither forge a line nor reach a terminal. Thread-safe; one write(2) a
// line.
#ifndef ROSTER_USERSPACE_LOG_LOG_H_
#define ROSTER_USERSPACE_LOG_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace roster {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kNothing };
enum class LogFormat {
  kAuto,     // kJournal where systemd reads standard error, else kText
  kText,     // time=... level=... msg=... key=value
  kJournal,  // <priority>msg=... key=value
  kJson,     // one JSON object a line
};

// INVALID_ARGUMENT names the word and the ones that are known.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view text);

struct LogField {
  LogField(std::string_view key, std::string_view value) : key(key), value(value) {}
  LogField(std::string_view key, const char* value) : key(key), value(value) {}
  LogField(std::string_view key, const std::string& value) : key(key), value(value) {}
  LogField(std::string_view key, const absl::Status& status) : key(key), value(status.ToString()) {}
  template <std::integral T>
  LogField(std::string_view key, T number)
      : key(key), value(std::to_string(number)), is_number(true) {}

  std::string key;
  std::string value;
  bool is_number = false;
};

// Nothing is logged before it. Not while other threads log.
void SetLogging(LogLevel level, LogFormat format);

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
inline void LogDebug(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kDebug, m, f);
}
inline void LogInfo(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kInfo, m, f);
}
inline void LogWarning(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kWarning, m, f);
}
inline void LogError(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kError, m, f);
}

// For a tolerated failure that may come thousands of times: logs the first of each `key`, then the
// 10th, 100th,
// ..., each with how often it has come. Keys are few and known when the program is written.
// Thread-safe.
void LogSparsely(std::string_view key, LogLevel level, std::string_view message,
                 std::initializer_list<LogField> fields = {});

// The line without its end, as Log would write it; for tests. `time` is used by kText and kJson.
std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view time,
                          std::string_view message, std::initializer_list<LogField> fields);

}  // namespace roster

#endif  // ROSTER_USERSPACE_LOG_LOG_H_
