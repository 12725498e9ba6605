#include "process/remote_memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace roster {

RemoteMemory::RemoteMemory(pid_t pid)
    : pid_(pid), page_size_(static_cast<uint64_t>(sysconf(_SC_PAGESIZE))) {}

void RemoteMemory::Prefetch(const std::vector<uint64_t>& addresses) {
  std::vector<uint64_t> pages;
  for (const uint64_t address : addresses) {
    const uint64_t page = PageOf(address);
    if (offsets_.contains(page)) continue;
    // Neighbouring strings share a page; the list is short enough for a look at its end to catch
    // most.
    if (!pages.empty() && pages.back() == page) continue;
    pages.push_back(page);
  }
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  if (pages.size() > kMaxPages) pages.resize(kMaxPages);
  if (!pages.empty()) ReadPages(pages);
}

std::string_view RemoteMemory::ToPageEnd(uint64_t address) {
  const uint64_t page = PageOf(address);
  auto found = offsets_.find(page);
  if (found == offsets_.end()) {
    ReadPages({page});
    found = offsets_.find(page);
    if (found == offsets_.end()) return {};
  }
  const uint64_t skip = address - page;
  return {storage_.data() + found->second + skip, page_size_ - skip};
}

void RemoteMemory::ReadPages(const std::vector<uint64_t>& pages) {
  if (offsets_.size() + pages.size() > kMaxPages) {
    offsets_.clear();
    storage_.clear();
  }
  const size_t start = storage_.size();
  storage_.resize(start + pages.size() * page_size_);
  size_t done = 0;
  while (done < pages.size()) {
    // One remote element per page: the kernel stops at the first page that is not mapped, and what
    // it read before counts.
    std::vector<iovec> remote;
    remote.reserve(pages.size() - done);
    for (size_t i = done; i < pages.size(); ++i) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process.
      remote.push_back({reinterpret_cast<void*>(pages[i]), page_size_});
    }
    iovec local = {storage_.data() + start + done * page_size_, remote.size() * page_size_};
    const ssize_t got = process_vm_readv(pid_, &local, 1, remote.data(), remote.size(), 0);
    const size_t whole = got < 0 ? 0 : static_cast<size_t>(got) / page_size_;
    for (size_t i = 0; i < whole; ++i) {
      offsets_[pages[done + i]] = start + (done + i) * page_size_;
    }
    if (whole < remote.size()) {
      error_ = got < 0 ? errno : EFAULT;
      if (got < 0 && errno != EFAULT) return;  // gone or forbidden: no page will do better
    }
    done += whole + 1;
  }
}

}  // namespace roster
