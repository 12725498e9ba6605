#include "log/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "kernel/mutex.h"
#include "text/utf8.h"

namespace roster {
namespace {

// Set before threads start, read by all.
// Silent until somebody asks: a program that embeds the library speaks for itself.
LogLevel g_level = LogLevel::kNothing;
LogFormat g_format = LogFormat::kText;

constexpr struct {
  const char* name;
  int priority;  // syslog(3)
} kLevels[] = {{"debug", 7}, {"info", 6}, {"warning", 4}, {"error", 3}};

// systemd tells its services device and inode of the journal's stream; a redirected standard error
// differs.
bool JournalReadsStderr() {
  const char* stream = getenv("JOURNAL_STREAM");
  struct stat status;
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return absl::StrCat(status.st_dev, ":", status.st_ino) == stream;
}

// Escapes what could end the value, end the line, or steer a terminal.
void AppendEscaped(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += text[i++];
    } else if (const size_t length = PrintableUtf8(text.substr(i)); length > 0) {
      out->append(text.substr(i, length));
      i += length;
    } else if (c == '\n') {
      *out += "\\n";
      ++i;
    } else if (c == '\t') {
      *out += "\\t";
      ++i;
    } else if (c < 0x80) {
      absl::StrAppendFormat(out, "\\u%04x", c);
      ++i;
    } else {
      // JSON has no escape for a byte: the replacement character stands for it.
      *out += "\xef\xbf\xbd";
      ++i;
    }
  }
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || static_cast<unsigned char>(c) >= 0x7f)
      return true;
  }
  return false;
}

void AppendPair(LogFormat format, std::string_view key, std::string_view value, bool bare,
                std::string* out) {
  const bool json = format == LogFormat::kJson;
  if (json) {
    if (out->back() != '{') *out += ',';
    *out += '"';
    out->append(key);
    *out += "\":";
  } else {
    if (!out->empty() && out->back() != '>') *out += ' ';
    out->append(key);
    *out += '=';
  }
  if (bare || (!json && !NeedsQuotes(value))) {
    out->append(value);
    return;
  }
  *out += '"';
  AppendEscaped(value, out);
  *out += '"';
}

template <typename Value>
struct Word {
  const char* text;
  Value value;
};

template <typename Value, size_t N>
absl::StatusOr<Value> Parse(const char* what, std::string_view text,
                            const Word<Value> (&words)[N]) {
  std::string known;
  for (const auto& word : words) {
    if (text == word.text) return word.value;
    absl::StrAppend(&known, known.empty() ? "" : ", ", word.text);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      what, " \"", absl::string_view(text.data(), text.size()), "\": not one of ", known));
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  static constexpr Word<LogLevel> kWords[] = {{"debug", LogLevel::kDebug},
                                              {"info", LogLevel::kInfo},
                                              {"warning", LogLevel::kWarning},
                                              {"error", LogLevel::kError}};
  return Parse("log level", text, kWords);
}

absl::StatusOr<LogFormat> ParseLogFormat(std::string_view text) {
  static constexpr Word<LogFormat> kWords[] = {{"auto", LogFormat::kAuto},
                                               {"text", LogFormat::kText},
                                               {"journal", LogFormat::kJournal},
                                               {"json", LogFormat::kJson}};
  return Parse("log format", text, kWords);
}

void SetLogging(LogLevel level, LogFormat format) {
  g_level = level;
  g_format = format != LogFormat::kAuto ? format
             : JournalReadsStderr()     ? LogFormat::kJournal
                                        : LogFormat::kText;
}

std::string FormatLogLine(LogFormat format, LogLevel level, std::string_view time,
                          std::string_view message, std::initializer_list<LogField> fields) {
  const auto& names = kLevels[static_cast<size_t>(level)];
  std::string line;
  if (format == LogFormat::kJson) line += '{';
  if (format == LogFormat::kJournal) absl::StrAppend(&line, "<", names.priority, ">");
  if (format != LogFormat::kJournal) {
    AppendPair(format, "time", time, false, &line);
    AppendPair(format, "level", names.name, false, &line);
  }
  AppendPair(format, "msg", message, false, &line);
  for (const LogField& field : fields)
    AppendPair(format, field.key, field.value, field.is_number, &line);
  if (format == LogFormat::kJson) line += '}';
  return line;
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < g_level) return;
  const int saved = errno;
  std::string line =
      FormatLogLine(g_format, level,
                    absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", absl::Now(), absl::LocalTimeZone()),
                    message, fields);
  line += '\n';
  // Nobody can be told that the log cannot be written.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  errno = saved;
}

void LogSparsely(std::string_view key, LogLevel level, std::string_view message,
                 std::initializer_list<LogField> fields) {
  static Mutex mutex;
  static auto& counts =
      *new std::map<std::string, uint64_t, std::less<>>();  // never destroyed: see below
  uint64_t count = 0;
  {
    // Threads may still log while the program's statics are destroyed.
    MutexLock lock(&mutex);
    const auto found = counts.find(key);
    count = found != counts.end() ? ++found->second : (counts[std::string(key)] = 1);
  }
  uint64_t power = 1;
  while (power * 10 <= count) power *= 10;
  if (power != count) return;
  if (count == 1) {
    Log(level, message, fields);
  } else {
    Log(level,
        absl::StrCat(absl::string_view(message.data(), message.size()), " (", count,
                     " times so far)"),
        fields);
  }
}

}  // namespace roster
