// RemoteMemory reads another process's memory page by page, many pages in one system call.
#ifndef ROSTER_USERSPACE_PROCESS_REMOTE_MEMORY_H_
#define ROSTER_USERSPACE_PROCESS_REMOTE_MEMORY_H_

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace roster {

// Keeps the pages read so far, at most kMaxPages of them: a prefetch that would exceed that drops
// the older ones first. Not thread-safe.
class RemoteMemory {
 public:
  static constexpr size_t kMaxPages = 128;

  explicit RemoteMemory(pid_t pid);

  // Reads the pages that hold `addresses` (those beyond kMaxPages are left for later) in one
  // process_vm_readv. A page that is not mapped is simply not there afterwards.
  void Prefetch(const std::vector<uint64_t>& addresses);

  // The bytes from `address` to the end of its page; empty when the page cannot be read (error()
  // says why). Valid until the next call.
  std::string_view ToPageEnd(uint64_t address);

  // The errno of the last page that could not be read; 0: none.
  int error() const { return error_; }

 private:
  uint64_t PageOf(uint64_t address) const { return address & ~(page_size_ - 1); }
  void ReadPages(const std::vector<uint64_t>& pages);

  pid_t pid_;
  uint64_t page_size_;
  int error_ = 0;
  std::vector<char> storage_;  // kMaxPages pages at most, in the order they came
  absl::flat_hash_map<uint64_t, size_t> offsets_;  // page address -> offset in storage_
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_REMOTE_MEMORY_H_
