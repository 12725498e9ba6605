// FileId names a file by device and inode number, as stat(2) reports them.
#ifndef ROSTER_USERSPACE_HOOK_FILE_ID_H_
#define ROSTER_USERSPACE_HOOK_FILE_ID_H_

#include <cstdint>
#include <utility>

namespace roster {

// `dev` is st_dev as glibc encodes it (makedev). On btrfs and overlayfs it differs from the
// kernel's own super_block.s_dev: compare it only with other results of stat or statx. Zero is
// unknown.
struct FileId {
  uint64_t dev = 0;
  uint64_t ino = 0;

  friend bool operator==(const FileId& a, const FileId& b) {
    return a.dev == b.dev && a.ino == b.ino;
  }
  template <typename H>
  friend H AbslHashValue(H h, const FileId& id) {
    return H::combine(std::move(h), id.dev, id.ino);
  }
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_FILE_ID_H_
