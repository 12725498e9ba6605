#include "kernel/boot_id.h"

#include <cctype>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace roster {

absl::StatusOr<std::array<uint8_t, 16>> ReadBootId() {
  constexpr char kPath[] = "/proc/sys/kernel/random/boot_id";
  std::ifstream in(kPath);
  std::string text;
  std::getline(in, text);
  std::string digits;
  for (char c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  if (digits.size() != 32) {
    return absl::FailedPreconditionError(absl::StrCat(kPath, ": not a UUID: \"", text, "\""));
  }
  std::array<uint8_t, 16> id;
  for (size_t i = 0; i < id.size(); ++i) {
    uint32_t byte = 0;
    if (!absl::SimpleHexAtoi(digits.substr(2 * i, 2), &byte)) byte = 0;
    id[i] = static_cast<uint8_t>(byte);
  }
  return id;
}

}  // namespace roster
