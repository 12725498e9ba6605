#include "collection/read_domain.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace roster::collection_internal {
namespace {

long Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

bool RegisterMembarrier() {
#if defined(__SANITIZE_THREAD__)
  return false;  // the sanitizer does not know what membarrier orders
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return false;
#endif
#endif
  return Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

}  // namespace

// A child of fork would need its own registration; we do not fork without exec.
const bool ReadDomain::light_ = RegisterMembarrier();
std::atomic<uint64_t> ReadDomain::global_epoch_{1};
std::atomic<ReadDomain::Record*> ReadDomain::records_{nullptr};
constinit thread_local ReadDomain::Record* ReadDomain::thread_record_ = nullptr;

// Gives the record back at the thread's end.
struct RecordReleaser {
  ReadDomain::Record* record = nullptr;
  ~RecordReleaser() {
    if (record == nullptr) return;
    ReadDomain::thread_record_ = nullptr;
    record->owned.store(false, std::memory_order_release);
  }
};

ReadDomain::Record* ReadDomain::Register() {
  static thread_local RecordReleaser releaser;
  Record* record = records_.load(std::memory_order_acquire);
  for (; record != nullptr; record = record->next) {
    bool owned = false;
    if (record->owned.compare_exchange_strong(owned, true, std::memory_order_acq_rel)) break;
  }
  if (record == nullptr) {
    record = new Record;  // kept for ever: a writer may be looking at it
    record->next = records_.load(std::memory_order_relaxed);
    while (!records_.compare_exchange_weak(record->next, record, std::memory_order_acq_rel)) {
    }
  }
  releaser.record = record;
  thread_record_ = record;
  return record;
}

uint64_t ReadDomain::OldestReader() {
  if (light_) {
    Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  } else {
    // Pairs with the exchange in Enter: either we see the reader's epoch, or it sees what we took
    // away.
    global_epoch_.fetch_add(0, std::memory_order_seq_cst);
  }
  uint64_t oldest = global_epoch_.load(std::memory_order_acquire);
  for (const Record* record = records_.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    const uint64_t epoch = record->epoch.load(std::memory_order_seq_cst);
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

RetireList::~RetireList() {
  for (const Retired& retired : retired_) retired.free(retired.object);
}

void RetireList::Retire(void* object, Free free) {
  retired_.push_back({object, free, ReadDomain::EndEpoch()});
  if (retired_.size() < threshold_) return;
  Reclaim();
  // A reader that stays must not make every further Retire look again.
  threshold_ = retired_.size() + 64;
}

void RetireList::Reclaim() {
  const uint64_t oldest = ReadDomain::OldestReader();
  while (!retired_.empty() && retired_.front().epoch < oldest) {
    const Retired retired = retired_.front();
    retired_.pop_front();
    retired.free(retired.object);
  }
}

}  // namespace roster::collection_internal
