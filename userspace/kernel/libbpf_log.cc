#include "kernel/libbpf_log.h"

#include <cstdarg>
#include <cstdio>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "kernel/mutex.h"

namespace roster {
namespace {

constexpr size_t kKept = 4096;

struct Said {
  Mutex mutex;
  std::string text ABSL_GUARDED_BY(mutex);
};

Said& TheSaid() {
  static auto& said = *new Said;  // libbpf may speak until the process ends
  return said;
}

std::string Formatted(const char* format, va_list args) __attribute__((format(printf, 1, 0)));
std::string Formatted(const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  const int length = vsnprintf(nullptr, 0, format, args);
  std::string text(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  if (length > 0) vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

int Keep(enum libbpf_print_level level, const char* format, va_list args)
    __attribute__((format(printf, 2, 0)));
int Keep(enum libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  const std::string line = Formatted(format, args);
  Said& said = TheSaid();
  MutexLock lock(&said.mutex);
  said.text += line;
  if (said.text.size() > kKept) {
    size_t begin = said.text.size() - kKept;
    const size_t newline = said.text.find('\n', begin);
    if (newline != std::string::npos && newline + 1 < said.text.size()) begin = newline + 1;
    said.text.erase(0, begin);
  }
  return 0;
}

}  // namespace

LibbpfLog::LibbpfLog() : previous_(libbpf_set_print(&Keep)) { Take(); }

LibbpfLog::~LibbpfLog() { libbpf_set_print(previous_); }

std::string LibbpfLog::Take() {
  Said& said = TheSaid();
  MutexLock lock(&said.mutex);
  return std::exchange(said.text, "");
}

}  // namespace roster
