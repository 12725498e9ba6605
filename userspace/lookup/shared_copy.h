// CopyShared copies a struct that others change meanwhile.
#ifndef ROSTER_USERSPACE_LOOKUP_SHARED_COPY_H_
#define ROSTER_USERSPACE_LOOKUP_SHARED_COPY_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace roster::lookup_internal {

// The others write it by aligned 8-byte stores: no word is torn, but words may be of different
// ages.
template <typename T>
T CopyShared(const T* shared) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0);
  uint64_t words[sizeof(T) / 8];
  const auto* from = reinterpret_cast<const uint64_t*>(shared);
  for (size_t i = 0; i < sizeof(T) / 8; ++i) words[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
  T copy;
  memcpy(&copy, words, sizeof(T));
  return copy;
}

}  // namespace roster::lookup_internal

#endif  // ROSTER_USERSPACE_LOOKUP_SHARED_COPY_H_
