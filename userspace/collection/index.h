// Index is a hash table of lists that one writer changes while others read.
//
// The lists are linked through what they hold, so that a container costs two words for each index
// it is in and a key costs one word more. A slot is a single word: the pointer to the list's first
// link, 15 bits of the key's hash and whether the list has several links, in the bits that
// user-space addresses do not have (both x86-64 and arm64 give 47 or 48 bits unless asked for
// more). A reader therefore sees a slot whole or not at all, and finds a lone container without
// reading its links.
//
// Readers hold a ReadSection. The writer's calls are made one at a time; what it erases must be
// freed through a RetireList.
#ifndef ROSTER_USERSPACE_COLLECTION_INDEX_H_
#define ROSTER_USERSPACE_COLLECTION_INDEX_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "collection/read_domain.h"

namespace roster::collection_internal {

// Membership in one list. `prev` of the first link is the last one; a link in no list has none.
struct Link {
  std::atomic<Link*> next{nullptr};
  std::atomic<Link*> prev{nullptr};

  bool linked() const { return prev.load(std::memory_order_relaxed) != nullptr; }
  Link* Next() const { return next.load(std::memory_order_acquire); }
};

// The golden ratio's multiples, of which the upper bits count: numbers that come one after the
// other, as the kernel's do, are spread more evenly than by chance.
inline uint64_t HashKey(uint64_t key) { return key * 0x9E3779B97F4A7C15ULL; }
inline uint64_t HashKey(std::string_view key) {
  return absl::HashOf(absl::string_view(key.data(), key.size()));
}
inline uint64_t HashKey(std::string_view first, std::string_view second) {
  return absl::HashOf(absl::string_view(first.data(), first.size()),
                      absl::string_view(second.data(), second.size()));
}

// Puts `link` at the end of the list that begins with `*first`.
inline void Append(Link* first, Link* link) {
  Link* last = first->prev.load(std::memory_order_relaxed);
  link->prev.store(last, std::memory_order_relaxed);
  last->next.store(link, std::memory_order_release);
  first->prev.store(link, std::memory_order_release);
}

// Traits: `using Key`, `static Key KeyOf(const Link*)`.
template <typename Traits>
class Index {
 public:
  using Key = typename Traits::Key;

  Index() : table_(Table::New(kMinSlots)) {}
  ~Index() { Table::Free(table_.load(std::memory_order_relaxed)); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // The first link under `key`, in the order of insertion; nullptr when there is none.
  Link* Find(Key key) const { return Pointer(FindWord(key, HashKey(key))); }

  // The last one.
  Link* FindLast(Key key) const {
    const uint64_t word = FindWord(key, HashKey(key));
    Link* first = Pointer(word);
    return (word & kSeveral) == 0 ? first : first->prev.load(std::memory_order_acquire);
  }

  void Insert(Link* link, RetireList* retire) {
    const Key key = Traits::KeyOf(link);
    const uint64_t hash = HashKey(key);
    if (Link* first = Pointer(FindWord(key, hash)); first != nullptr) {
      const bool several = first->Next() != nullptr;
      Append(first, link);
      if (!several) SetSlot(first, first, /*several=*/true);
      return;
    }
    Reserve(retire);
    link->prev.store(link, std::memory_order_relaxed);
    Table* table = table_.load(std::memory_order_relaxed);
    size_t i = table->Home(hash);
    while (table->slots()[i].load(std::memory_order_relaxed) > kTombstone) {
      i = (i + 1) & table->mask;
    }
    if (table->slots()[i].load(std::memory_order_relaxed) == kEmpty) ++used_;
    ++keys_;
    table->slots()[i].store(Word(TagOf(hash), link), std::memory_order_release);
  }

  void Erase(Link* link) {
    if (!link->linked()) return;
    Link* prev = link->prev.load(std::memory_order_relaxed);
    Link* next = link->next.load(std::memory_order_relaxed);
    if (prev == link) {
      EraseSlot(SlotOf(link));
    } else if (prev->next.load(std::memory_order_relaxed) == nullptr) {
      // The first of several: its prev is the last.
      next->prev.store(prev, std::memory_order_release);
      SetSlot(link, next, next != prev);
    } else {
      if (next != nullptr) {
        next->prev.store(prev, std::memory_order_release);
      } else {
        Pointer(SlotWord(link))->prev.store(prev, std::memory_order_release);
      }
      prev->next.store(next, std::memory_order_release);
      // Only the last of two leaves one alone: its neighbour is then the first, and its own last.
      if (next == nullptr && prev->prev.load(std::memory_order_relaxed) == prev) {
        SetSlot(prev, prev, /*several=*/false);
      }
    }
    // `next` stays for readers that are on it.
    link->prev.store(nullptr, std::memory_order_relaxed);
  }

  // Puts `fresh`, which has the same key, in the place of `old`: a reader meets the one or the
  // other.
  void Replace(Link* old, Link* fresh) {
    Link* prev = old->prev.load(std::memory_order_relaxed);
    Link* next = old->next.load(std::memory_order_relaxed);
    fresh->next.store(next, std::memory_order_relaxed);
    fresh->prev.store(prev == old ? fresh : prev, std::memory_order_relaxed);
    const bool is_first = prev == old || prev->next.load(std::memory_order_relaxed) == nullptr;
    if (next != nullptr) {
      next->prev.store(fresh, std::memory_order_release);
    } else if (!is_first) {
      Pointer(SlotWord(old))->prev.store(fresh, std::memory_order_release);
    }
    if (is_first) {
      SetSlot(old, fresh, prev != old);
    } else {
      prev->next.store(fresh, std::memory_order_release);
    }
    old->prev.store(nullptr, std::memory_order_relaxed);
  }

  static Key KeyOf(const Link* link) { return Traits::KeyOf(link); }

 private:
  static constexpr size_t kMinSlots = 16;
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t kTombstone = 1;
  static constexpr uint64_t kTagMask = 0x7FFFULL << 48;
  static constexpr uint64_t kSeveral = 1ULL << 63;

  struct Table {
    size_t mask;
    int shift;  // what is left of a hash is a slot's number

    size_t Home(uint64_t hash) const { return hash >> shift; }

    std::atomic<uint64_t>* slots() { return reinterpret_cast<std::atomic<uint64_t>*>(this + 1); }
    const std::atomic<uint64_t>* slots() const {
      return reinterpret_cast<const std::atomic<uint64_t>*>(this + 1);
    }
    static Table* New(size_t slots) {
      void* memory = ::operator new(sizeof(Table) + slots * sizeof(std::atomic<uint64_t>));
      auto* table = new (memory) Table{slots - 1, std::countl_zero(slots) + 1};
      for (size_t i = 0; i < slots; ++i) new (table->slots() + i) std::atomic<uint64_t>(kEmpty);
      return table;
    }
    static void Free(void* table) { ::operator delete(table); }
  };

  // Of bits that do not choose the slot, up to 2^25 of them. Never 0, so that neither an empty slot
  // nor a tombstone has a key's tag.
  static uint64_t TagOf(uint64_t hash) { return ((hash << 24) | (1ULL << 48)) & kTagMask; }
  static uint64_t Word(uint64_t tag, const Link* link) {
    return tag | reinterpret_cast<uintptr_t>(link);
  }
  static Link* Pointer(uint64_t word) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the pointer that Word() tagged.
    return reinterpret_cast<Link*>(word & ~(kTagMask | kSeveral));
  }

  // kEmpty when there is none.
  uint64_t FindWord(Key key, uint64_t hash) const {
    const uint64_t tag = TagOf(hash);
    const Table* table = table_.load(std::memory_order_acquire);
    size_t i = table->Home(hash);
    // Most keys are in their own slot or in the next one, in an order that no processor guesses:
    // which of the two is worked out, not branched on.
    const uint64_t own = table->slots()[i].load(std::memory_order_acquire);
    const uint64_t next = table->slots()[(i + 1) & table->mask].load(std::memory_order_acquire);
    const uint64_t is_own = -static_cast<uint64_t>((own & kTagMask) == tag);
    const uint64_t likely = (own & is_own) | (next & ~is_own);
    if ((likely & kTagMask) == tag && Traits::KeyOf(Pointer(likely)) == key) return likely;
    for (;; i = (i + 1) & table->mask) {
      const uint64_t word = table->slots()[i].load(std::memory_order_acquire);
      if ((word & kTagMask) == tag) {
        if (Traits::KeyOf(Pointer(word)) == key) return word;
      }
      if (word == kEmpty) return kEmpty;
    }
  }

  // The slot of the list that `link` is in.
  size_t SlotOf(const Link* link) const {
    const Key key = Traits::KeyOf(link);
    const uint64_t hash = HashKey(key);
    const Table* table = table_.load(std::memory_order_relaxed);
    for (size_t i = table->Home(hash);; i = (i + 1) & table->mask) {
      const uint64_t word = table->slots()[i].load(std::memory_order_relaxed);
      if ((word & kTagMask) == TagOf(hash) && Traits::KeyOf(Pointer(word)) == key) return i;
    }
  }
  uint64_t SlotWord(const Link* link) const {
    return table_.load(std::memory_order_relaxed)
        ->slots()[SlotOf(link)]
        .load(std::memory_order_relaxed);
  }
  void SetSlot(const Link* old, const Link* fresh, bool several) {
    std::atomic<uint64_t>& slot = table_.load(std::memory_order_relaxed)->slots()[SlotOf(old)];
    const uint64_t tag = slot.load(std::memory_order_relaxed) & kTagMask;
    slot.store(Word(tag, fresh) | (several ? kSeveral : 0), std::memory_order_release);
  }

  void EraseSlot(size_t i) {
    Table* table = table_.load(std::memory_order_relaxed);
    --keys_;
    if (table->slots()[(i + 1) & table->mask].load(std::memory_order_relaxed) != kEmpty) {
      table->slots()[i].store(kTombstone, std::memory_order_release);
      return;
    }
    // No probe goes past here, so neither this slot nor the tombstones before it are needed.
    do {
      table->slots()[i].store(kEmpty, std::memory_order_release);
      --used_;
      i = (i - 1) & table->mask;
    } while (table->slots()[i].load(std::memory_order_relaxed) == kTombstone);
  }

  // Room for one more key, with at most 5/8 of the slots in use.
  void Reserve(RetireList* retire) {
    Table* old = table_.load(std::memory_order_relaxed);
    const size_t slots = old->mask + 1;
    if ((used_ + 1) * 8 <= slots * 5) return;
    size_t wanted = slots;
    if ((keys_ + 1) * 8 > slots * 5 / 2) wanted = slots * 2;  // else only the tombstones go
    Table* table = Table::New(wanted);
    for (size_t i = 0; i < slots; ++i) {
      const uint64_t word = old->slots()[i].load(std::memory_order_relaxed);
      if (word <= kTombstone) continue;
      size_t j = table->Home(HashKey(Traits::KeyOf(Pointer(word))));
      while (table->slots()[j].load(std::memory_order_relaxed) != kEmpty) j = (j + 1) & table->mask;
      table->slots()[j].store(word, std::memory_order_relaxed);
    }
    used_ = keys_;
    table_.store(table, std::memory_order_release);
    retire->Retire(old, &Table::Free);
  }

  std::atomic<Table*> table_;
  size_t keys_ = 0;  // the writer's
  size_t used_ = 0;  // slots that are not empty
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_INDEX_H_
