// KeeperWatch says what the keeper had to do without the daemon, or could not do.
#ifndef ROSTER_USERSPACE_TRACKER_KEEPER_WATCH_H_
#define ROSTER_USERSPACE_TRACKER_KEEPER_WATCH_H_

#include <functional>
#include <string_view>
#include <utility>

#include "hook/keeper.h"

namespace roster {

// Thread-compatible.
class KeeperWatch {
 public:
  // `on_problem` is called once for each kind of trouble that has cost, or may cost, a container
  // its name or a runtime its exec.
  explicit KeeperWatch(std::function<void(std::string_view)> on_problem)
      : on_problem_(std::move(on_problem)) {}

  // Logs what has grown since the last call, and says what is a problem. Called again and again, a
  // second or so apart.
  void Note(const KeeperStats& now);

 private:
  const std::function<void(std::string_view)> on_problem_;
  KeeperStats last_;
  bool told_errors_ = false;
  bool told_full_ = false;
  bool told_stand_in_ = false;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_KEEPER_WATCH_H_
