// What a publisher and a worker hand to one another lies in pairs of lines of memory that are
// theirs alone: a processor fetches such a pair at once, and to fetch one that another has written
// takes as long as several calls.
#ifndef ROSTER_USERSPACE_COLLECTION_LINE_PAIR_H_
#define ROSTER_USERSPACE_COLLECTION_LINE_PAIR_H_

#include <cstddef>

namespace roster::pubsub_internal {

inline constexpr size_t kLinePair = 128;

// Asks for a pair of lines of memory that is about to be written. Any address will do.
inline void Fetch(const void* at) {
#if defined(__x86_64__)
  // What __builtin_prefetch makes for the oldest processors asks for reading only.
  const auto* const line = static_cast<const char(*)[64]>(at);
  asm volatile("prefetchw %0\n\tprefetchw %1" : : "m"(line[0]), "m"(line[1]));
#else
  __builtin_prefetch(at, 1);
  __builtin_prefetch(static_cast<const char*>(at) + 64, 1);
#endif
}

}  // namespace roster::pubsub_internal

#endif  // ROSTER_USERSPACE_COLLECTION_LINE_PAIR_H_
