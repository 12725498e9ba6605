// IdentityFinder finds out who a running container is that no held runtime announced.
#ifndef ROSTER_USERSPACE_TRACKER_IDENTITY_FINDER_H_
#define ROSTER_USERSPACE_TRACKER_IDENTITY_FINDER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "runtime/identify.h"
#include "tracker/event_loop.h"
#include "tracker/known_roots.h"
#include "tracker/worker.h"

namespace roster {

// It may read many files, on a thread of its own, so that nothing a held runtime waits for is
// delayed. All methods are for the loop's thread; callbacks run on it too.
class IdentityFinder {
 public:
  // `loop` must outlive it. For `roots_file` see KnownRoots.
  IdentityFinder(EventLoop* loop, std::string roots_file);

  // Looks once, or, as its runtime may still be writing down who it is, again and again for some
  // seconds. `wanted` is asked after each look: where it says no, `done` is never called.
  enum class Effort { kOnce, kPatient };
  void Find(pid_t pid, Effort effort, std::function<bool()> wanted,
            std::function<void(absl::StatusOr<Identity>)> done);

  // The same, at once and on this thread: for a start, when nothing is held yet.
  absl::StatusOr<Identity> FindNow(pid_t pid) const;

  // A runtime keeps its states at `root`; whether that is news. It is on disk when this returns: a
  // runtime is released only then, and the next daemon can ask it even if this one is killed.
  bool NoteRoot(std::string_view root) { return roots_.Note(root); }

 private:
  struct Search;
  void Look(std::shared_ptr<Search> search);
  void Looked(const std::shared_ptr<Search>& search, absl::StatusOr<Identity> identity);

  EventLoop* const loop_;
  KnownRoots roots_;
  Worker worker_;  // last: its work uses the rest
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_IDENTITY_FINDER_H_
