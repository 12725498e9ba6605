#include "kernel/bpf_map.h"

#include <sys/mman.h>
#include <unistd.h>

namespace roster {
namespace {

size_t PageAligned(size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

absl::StatusOr<void*> MapArray(int fd, size_t bytes, const std::string& name) {
  void* memory = mmap(nullptr, PageAligned(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return ErrnoStatus("map into memory", name, errno);
  return memory;
}

void UnmapArray(void* memory, size_t bytes) { munmap(memory, PageAligned(bytes)); }

}  // namespace roster
