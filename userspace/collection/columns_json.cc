// Containers as indented JSON.
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "roster/columns.h"
#include "roster/json.h"

namespace roster {

std::string IndentJson(std::string_view json) {
  std::string out;
  size_t depth = 0;
  bool in_text = false;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      out.push_back(c);
      if (c == '\\' && i + 1 < json.size()) out.push_back(json[++i]);
      if (c == '"') in_text = false;
      continue;
    }
    switch (c) {
      case '"':
        in_text = true;
        out.push_back(c);
        break;
      case '{':
      case '[':
        out.push_back(c);
        if (i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']')) {
          out.push_back(json[++i]);
        } else {
          ++depth;
          new_line();
        }
        break;
      case '}':
      case ']':
        depth -= depth > 0 ? 1 : 0;
        new_line();
        out.push_back(c);
        break;
      case ',':
        out.push_back(c);
        new_line();
        break;
      case ':':
        out.append(": ");
        break;
      default:
        if (!absl::ascii_isspace(static_cast<unsigned char>(c))) out.push_back(c);
    }
  }
  return out;
}

std::string FormatJson(const std::vector<ContainerPtr>& rows) {
  std::string json = "[";
  for (const ContainerPtr& row : rows) {
    if (row == nullptr) continue;
    absl::StrAppend(&json, json.size() > 1 ? "," : "", ToJson(*row));
  }
  json += "]";
  return IndentJson(json);
}

}  // namespace roster
