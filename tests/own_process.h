// What the process that runs a test has open and runs, to see that nothing is left behind.
#ifndef ROSTER_TESTS_OWN_PROCESS_H_
#define ROSTER_TESTS_OWN_PROCESS_H_

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace roster::testing {

// What the descriptors lead to, sorted; numbers of sockets and the like left out.
inline std::vector<std::string> OpenFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string link = std::filesystem::read_symlink(entry.path(), gone).string();
    files.push_back(link.substr(0, link.find('[')));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The threads that have not begun to exit. One that has been joined may stand in /proc for a moment
// longer, but the kernel has called it exiting before it lets the join return.
inline size_t CountThreads() {
  constexpr unsigned long kExiting = 4;  // PF_EXITING
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat, '\0');
    if (stat.empty()) continue;  // it has gone since
    // After the name, which may hold anything: state, five numbers, flags.
    size_t at = stat.rfind(')') + 1;
    for (int field = 0; field < 7; ++field) at = stat.find(' ', at) + 1;
    if ((std::stoul(stat.substr(at)) & kExiting) == 0) ++count;
  }
  return count;
}

}  // namespace roster::testing

#endif  // ROSTER_TESTS_OWN_PROCESS_H_
