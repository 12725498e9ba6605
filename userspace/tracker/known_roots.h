// KnownRoots remembers where OCI runtimes keep the states of containers, as seen in their --root
// options.
#ifndef ROSTER_USERSPACE_TRACKER_KNOWN_ROOTS_H_
#define ROSTER_USERSPACE_TRACKER_KNOWN_ROOTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace roster {

// A container whose start nobody held can only be named from its runtime's state, and the runtime
// that knows where that is has long exited. So the roots of earlier holds are kept, in a file, for
// this daemon and the next. Thread-compatible.
class KnownRoots {
 public:
  // More than a node has; the oldest is forgotten beyond.
  static constexpr size_t kMost = 64;

  // Reads `file`, if it is there, is root's and no larger than a file of ours; "" keeps nothing.
  explicit KnownRoots(std::string file);

  // Remembers an absolute path, and writes the file when it is new; whether it is.
  bool Note(std::string_view root);

  // DefaultStateRoots() and the remembered ones.
  std::vector<std::string> All() const;

 private:
  void Save() const;
  const std::string file_;
  std::vector<std::string> roots_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_KNOWN_ROOTS_H_
