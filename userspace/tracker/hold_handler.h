// HoldHandler answers the keeper's held events: a runtime's exec, a read of a pid file.
#ifndef ROSTER_USERSPACE_TRACKER_HOLD_HANDLER_H_
#define ROSTER_USERSPACE_TRACKER_HOLD_HANDLER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hook/keeper.h"
#include "hook/pid_file_marks.h"
#include "hook/runtime_marks.h"
#include "tracker/event_loop.h"
#include "tracker/roll.h"

namespace roster {

// For the loop's thread. Every event is released: at once, when what it waited for has happened,
// or, whatever happens here, by the keeper at the deadline.
class HoldHandler {
 public:
  // All must outlive it. `calls` may be nullptr: a task that is not asleep is then waited for.
  HoldHandler(EventLoop* loop, Keeper* keeper, const RuntimeMarks* marks, PidFileMarks* pid_files,
              const HeldCalls* calls, Mirror* mirror, Roll* roll);

  void OnEvent(const HeldEvent& event);

 private:
  void OnExec(const HeldEvent& event, absl::Duration next_wait);
  void OnResolved(const HeldEvent& event, ResolvedExec exec);
  void OnCreate(const HeldEvent& event, PreparedCreate prepared);
  void OnPidFileRead(const HeldEvent& event);
  HeldTask TaskOf(const HeldEvent& event) const;
  std::string BasenameOf(const HeldEvent& event) const;
  // Answers; counts and logs it where the keeper has answered before, at the deadline.
  void Release(const HeldEvent& event);
  void NoteExpired(const HeldEvent& event, const char* how);

  EventLoop* const loop_;
  Keeper* const keeper_;
  const RuntimeMarks* const marks_;
  PidFileMarks* const pid_files_;
  const HeldCalls* const calls_;
  Mirror* const mirror_;
  Roll* const roll_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_HOLD_HANDLER_H_
