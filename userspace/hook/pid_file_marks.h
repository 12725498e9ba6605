// PidFileMarks holds the first reads of containers' pid files, through marks on their directories.
//
// A directory's mark is shared by all the pid files waited for in it and removed when the last of
// them is done. Other files of the directory are held as well while it is there: whoever sees an
// event for which Match finds nothing must release it at once. Exempt is config.json, which is
// often beside the pid file and takes the runtime several reads, each of which would be a hold.
#ifndef ROSTER_USERSPACE_HOOK_PID_FILE_MARKS_H_
#define ROSTER_USERSPACE_HOOK_PID_FILE_MARKS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hook/fanotify_group.h"

namespace roster {

// Thread-compatible; its tokens belong to the same thread.
class PidFileMarks {
  struct State;

 public:
  // At most so many pid files may be waited for at once.
  static constexpr size_t kMaxPending = 4096;

  // Waits for one pid file while it lives. Move-only. May outlive the PidFileMarks.
  class Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept;
    Token& operator=(Token&& other) noexcept;
    ~Token() { Reset(); }
    // Stops waiting; the last token of a directory removes its mark.
    void Reset();

   private:
    friend class PidFileMarks;
    Token(std::weak_ptr<State> state, uint64_t id) : state_(std::move(state)), id_(id) {}
    std::weak_ptr<State> state_;
    uint64_t id_ = 0;
  };

  // `group` must outlive it.
  explicit PidFileMarks(FanotifyGroup* group);
  // Removes all marks.
  ~PidFileMarks();
  PidFileMarks(const PidFileMarks&) = delete;
  PidFileMarks& operator=(const PidFileMarks&) = delete;

  // Holds reads of `basename` in the directory at `directory`, relative to `dirfd` (AT_FDCWD, or
  // the held task's root, opened). The file need not exist. `cookie` is the caller's name for it.
  // Errors: INVALID_ARGUMENT for a basename that is none, NOT_FOUND, RESOURCE_EXHAUSTED past
  // kMaxPending, or what fanotify_mark answered. An open directory pins its mount until the last
  // token is gone.
  absl::StatusOr<Token> Add(int dirfd, const std::string& directory, const std::string& basename,
                            uint64_t cookie);

  // The cookies of the pid files that an event's fd is: the entry of that name in a marked
  // directory is now this very inode. Empty when none (another file of the directory, a temporary
  // name, a deleted one); more than one only when several containers were given the same pid file.
  // Use Keeper::Borrow's fd.
  std::vector<uint64_t> Match(int event_fd) const;

  // Directories marked now.
  size_t directories() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_PID_FILE_MARKS_H_
