// ReadDomain lets readers walk shared structures without a lock, and says when what they may have
// seen can go.
//
// Epoch-based reclamation. A reader announces, in a record of its own thread, the epoch in which it
// began. A writer first takes an object out of reach, then retires it, which ends the epoch; the
// object is freed when no reader is left that began before. The expensive half of the ordering
// between the two is the writer's: readers issue no fence, the writer makes every thread issue one
// with membarrier(2) when it looks at the readers, once for many objects. Where membarrier is
// refused, and under the thread sanitizer, readers use fences.
#ifndef ROSTER_USERSPACE_COLLECTION_READ_DOMAIN_H_
#define ROSTER_USERSPACE_COLLECTION_READ_DOMAIN_H_

#include <atomic>
#include <cstdint>
#include <deque>

namespace roster::collection_internal {

class ReadDomain {
 public:
  // One for each thread that has ever read, reused after the thread's end, never freed.
  struct alignas(64) Record {
    std::atomic<uint64_t> epoch{0};  // 0: not reading
    uint32_t depth = 0;              // the owning thread's
    std::atomic<bool> owned{true};
    Record* next = nullptr;
  };

  static void Enter() {
    Record* record = thread_record_;
    if (record == nullptr) [[unlikely]]
      record = Register();
    if (record->depth++ != 0) return;
    const uint64_t epoch = global_epoch_.load(std::memory_order_acquire);
    if (light_) [[likely]] {
      record->epoch.store(epoch, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      record->epoch.exchange(epoch, std::memory_order_seq_cst);
    }
  }

  static void Exit() {
    Record* record = thread_record_;
    if (--record->depth != 0) return;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    record->epoch.store(0, std::memory_order_release);
  }

  // Ends the epoch and returns it: what was out of reach before the call is seen by no reader of a
  // later one.
  static uint64_t EndEpoch() { return global_epoch_.fetch_add(1, std::memory_order_acq_rel); }

  // The oldest epoch in which somebody still reads; the present one when nobody does.
  static uint64_t OldestReader();

 private:
  static Record* Register();

  static std::atomic<uint64_t> global_epoch_;
  static const bool light_;
  static std::atomic<Record*> records_;
  __attribute__((tls_model("initial-exec"))) static constinit thread_local Record* thread_record_;
  friend struct RecordReleaser;
};

class ReadSection {
 public:
  ReadSection() { ReadDomain::Enter(); }
  ~ReadSection() { ReadDomain::Exit(); }
  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;
};

// What one writer has taken out of reach. Not thread-safe.
class RetireList {
 public:
  using Free = void (*)(void*);

  // All is freed; nobody may be reading what was retired here.
  ~RetireList();

  // Frees some of what can be freed, every now and then.
  void Retire(void* object, Free free);
  // Frees what can be freed now.
  void Reclaim();
  size_t size() const { return retired_.size(); }

 private:
  struct Retired {
    void* object;
    Free free;
    uint64_t epoch;
  };
  std::deque<Retired> retired_;
  size_t threshold_ = 64;
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_READ_DOMAIN_H_
