// BpfMap and MappedArray give typed access to a BPF map by its descriptor.
#ifndef ROSTER_USERSPACE_KERNEL_BPF_MAP_H_
#define ROSTER_USERSPACE_KERNEL_BPF_MAP_H_

#include <bpf/bpf.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/errors.h"
#include "kernel/fd.h"

namespace roster {

// A map whose elements are reached by system calls (about 1 us each). Thread-safe as the kernel is.
template <typename Key, typename Value>
class BpfMap {
  static_assert(std::has_unique_object_representations_v<Key>, "a key with padding never matches");

 public:
  BpfMap() = default;
  // Takes ownership. `name` is for error messages.
  BpfMap(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  int fd() const { return fd_.get(); }

  // nullopt when absent.
  std::optional<Value> Find(const Key& key) const {
    Value value;
    if (bpf_map_lookup_elem(fd_.get(), &key, &value) != 0) return std::nullopt;
    return value;
  }
  // RESOURCE_EXHAUSTED, naming the map, when it is full.
  absl::Status Set(const Key& key, const Value& value, uint64_t flags = BPF_ANY) {
    if (bpf_map_update_elem(fd_.get(), &key, &value, flags) == 0) return absl::OkStatus();
    return ErrnoStatus("update map", name_, errno);
  }
  // False when there was no such key.
  bool Remove(const Key& key) { return bpf_map_delete_elem(fd_.get(), &key) == 0; }

  // The keys there are now; entries made or removed meanwhile may or may not be among them.
  std::vector<Key> Keys() const {
    std::vector<Key> keys;
    Key key;
    const Key* previous = nullptr;
    while (keys.size() < kMostKeys && bpf_map_get_next_key(fd_.get(), previous, &key) == 0) {
      keys.push_back(key);
      previous = &keys.back();
    }
    return keys;
  }

 private:
  // A walk restarts when the key it stands on is removed: this bounds it.
  static constexpr size_t kMostKeys = 1 << 20;
  Fd fd_;
  std::string name_;
};

// Maps `bytes` of an mmapable array; nullptr and an error when the kernel refuses.
absl::StatusOr<void*> MapArray(int fd, size_t bytes, const std::string& name);
void UnmapArray(void* memory, size_t bytes);

// An mmapable array as memory shared with BPF: use atomic operations on what BPF also writes.
// Move-only; the memory lives as long as this.
template <typename Value>
class MappedArray {
 public:
  MappedArray() = default;
  static absl::StatusOr<MappedArray> Map(int fd, size_t entries, const std::string& name) {
    static_assert(sizeof(Value) % 8 == 0, "the kernel rounds array values up to 8 bytes");
    ROSTER_ASSIGN_OR_RETURN(void* memory, MapArray(fd, entries * sizeof(Value), name));
    return MappedArray(static_cast<Value*>(memory), entries);
  }
  MappedArray(MappedArray&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), entries_(other.entries_) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(entries_, other.entries_);
    return *this;
  }
  ~MappedArray() {
    if (values_ != nullptr) UnmapArray(values_, entries_ * sizeof(Value));
  }

  size_t size() const { return entries_; }
  Value& operator[](size_t index) const { return values_[index]; }

 private:
  MappedArray(Value* values, size_t entries) : values_(values), entries_(entries) {}
  Value* values_ = nullptr;
  size_t entries_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_BPF_MAP_H_
