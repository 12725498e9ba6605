// Atomic access to the fields of structs that live in memory shared with BPF programs.
#ifndef ROSTER_USERSPACE_KERNEL_SHARED_FIELD_H_
#define ROSTER_USERSPACE_KERNEL_SHARED_FIELD_H_

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace roster {

// The layouts use the kernel's __u64, which is another type than uint64_t: hence the type identity.
template <typename T>
T LoadField(T& field) {
  return std::atomic_ref<T>(field).load();
}
template <typename T>
void StoreField(T& field, std::type_identity_t<T> value) {
  std::atomic_ref<T>(field).store(value);
}
// Returns the value before.
template <typename T>
T AddField(T& field, std::type_identity_t<T> n) {
  return std::atomic_ref<T>(field).fetch_add(n);
}
template <typename T>
bool SwapField(T& field, std::type_identity_t<T> from, std::type_identity_t<T> to) {
  return std::atomic_ref<T>(field).compare_exchange_strong(from, to);
}
template <typename T>
void SetBits(T& field, std::type_identity_t<T> bits) {
  std::atomic_ref<T>(field).fetch_or(bits);
}
template <typename T>
void ClearBits(T& field, std::type_identity_t<T> bits) {
  std::atomic_ref<T>(field).fetch_and(static_cast<T>(~bits));
}

// The whole of a struct, word by word: each field is one that somebody stored, though not all of
// one moment.
template <typename T>
T CopyShared(const T& shared) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 8 == 0 && alignof(T) >= 8);
  using Word [[gnu::may_alias]] = unsigned long long;
  const auto* from = reinterpret_cast<const Word*>(&shared);
  T copy;
  auto* to = reinterpret_cast<Word*>(&copy);
  for (size_t i = 0; i < sizeof(T) / sizeof(Word); ++i) {
    to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
  }
  return copy;
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_SHARED_FIELD_H_
