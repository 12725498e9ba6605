// TemporaryDirectory is a directory that is gone after the test.
#ifndef ROSTER_TESTS_UNIT_ENRICH_TEMPORARY_DIRECTORY_H_
#define ROSTER_TESTS_UNIT_ENRICH_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace roster {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "enrich-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

  // Writes a file, mode 0600, with its parent directories; its path.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string file = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
    ::chmod(file.c_str(), 0600);
    return file;
  }

 private:
  std::string path_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_ENRICH_TEMPORARY_DIRECTORY_H_
