#include "recorded.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace roster {

std::string Recorded(const std::string& name) {
  std::ifstream file(ROSTER_RECORDED_DIR "/" + name);
  if (!file) {
    std::fprintf(stderr, "no recording %s\n", name.c_str());
    std::abort();
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> GarbageReplies() {
  std::string many = "[";
  for (int i = 0; i < 600'000; ++i) many += "[],";
  many += "[]]";
  return {"",
          "garbage",
          std::string("\0\0\0", 3),
          "{\"Id\":",
          Recorded("docker_list.json").substr(0, 700),
          "true",
          "7",
          "\"text\"",
          "{\"Id\":7}",
          "{\"Id\":null,\"Names\":null}",
          "[[[",
          std::string(100'000, '['),
          std::string(1000, '[') + std::string(1000, ']'),
          many,
          "{\"Id\":\"\xff\xfe\"}"};
}

}  // namespace roster
