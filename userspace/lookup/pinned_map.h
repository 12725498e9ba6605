// OpenPinnedMap opens one pin of the ABI and refuses whatever is not exactly that map.
#ifndef ROSTER_USERSPACE_LOOKUP_PINNED_MAP_H_
#define ROSTER_USERSPACE_LOOKUP_PINNED_MAP_H_

#include <linux/bpf.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "kernel/fd.h"

namespace roster::lookup_internal {

// What the ABI freezes of a map. A value_size of 0 is not compared.
struct MapShape {
  const char* name;  // of the pin, below the pin directory
  uint32_t type;     // enum bpf_map_type
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  bool mapped = false;  // into memory by the reader
};

extern const MapShape kAbiShape;
extern const MapShape kMntnsShape;
extern const MapShape kNetnsShape;
extern const MapShape kCgroupShape;
extern const MapShape kSlotShape;
extern const MapShape kRecordShape;
extern const MapShape kStatsShape;
extern const MapShape kTaskShape;

// Every pin above but kTaskShape, for who checks them all.
extern const MapShape* const kRequiredShapes[7];

// Opens read-only, except where the shape is `mapped`: Linux refuses (EINVAL) to map an array's
// memory through a read-only descriptor, because it then takes the mapping for a private one. The
// mapping itself is read-only. NOT_FOUND where there is no such pin, PERMISSION_DENIED without
// CAP_BPF, FAILED_PRECONDITION where the file is no pin, the pin is no map, or the map has another
// shape; the message names the pin and the difference.
absl::StatusOr<Fd> OpenPinnedMap(const std::string& pin_dir, const MapShape& shape);

// Memory of an mmapable array, read-only; unmapped at destruction.
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept;
  MappedArray& operator=(MappedArray&& other) noexcept;
  ~MappedArray();
  // `fd` may be closed afterwards: the mapping keeps the map.
  static absl::StatusOr<MappedArray> Map(const Fd& fd, const std::string& pin_dir,
                                         const MapShape& shape);
  const void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace roster::lookup_internal

#endif  // ROSTER_USERSPACE_LOOKUP_PINNED_MAP_H_
