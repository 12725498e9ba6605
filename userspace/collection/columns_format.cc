// Containers as text and as indented JSON.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "collection/utf8.h"
#include "roster/columns.h"
#include "roster/json.h"

namespace roster {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

// Controls, line separators, and what turns the direction of text.
bool IsDangerous(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

void AppendEscape(uint32_t c, std::string* out) {
  switch (c) {
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      absl::StrAppend(out, c < 0x80      ? absl::StrFormat("\\x%02x", c)
                           : c < 0x10000 ? absl::StrFormat("\\u%04x", c)
                                         : absl::StrFormat("\\U%08x", c));
  }
}

std::string Escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) {
      absl::StrAppend(&out, absl::StrFormat("\\x%02x", static_cast<unsigned char>(text[0])));
    } else if (const uint32_t c = Utf8Decode(text.substr(0, length)); IsDangerous(c)) {
      AppendEscape(c, &out);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

int Characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// The first (or last) `count` characters of valid UTF-8.
std::string_view First(std::string_view text, int count) {
  size_t end = 0;
  while (end < text.size() && count-- > 0) end += Utf8SequenceLength(text.substr(end));
  return text.substr(0, end);
}
std::string_view Last(std::string_view text, int count) {
  return text.substr(First(text, Characters(text) - count).size());
}

std::string Cut(const std::string& text, int width, Ellipsis ellipsis) {
  if (Characters(text) <= width) return text;
  if (width <= 1 && ellipsis != Ellipsis::kNone) return std::string(kEllipsis);
  const int kept = width - 1;
  switch (ellipsis) {
    case Ellipsis::kNone:
      return std::string(First(text, width));
    case Ellipsis::kStart:
      return absl::StrCat(std::string(kEllipsis), std::string(Last(text, kept)));
    case Ellipsis::kMiddle:
      return absl::StrCat(std::string(First(text, kept / 2 + kept % 2)), std::string(kEllipsis),
                          std::string(Last(text, kept / 2)));
    case Ellipsis::kEnd:
      return absl::StrCat(std::string(First(text, kept)), std::string(kEllipsis));
  }
  return text;
}

std::string CellText(const Column& column, const Container& container) {
  if (column.text) return Escape(column.text(container));
  const ColumnValue value = column.value(container);
  if (const auto* text = std::get_if<std::string>(&value)) return Escape(*text);
  if (const auto* number = std::get_if<uint64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return std::get<bool>(value) ? "true" : "false";
}

std::string HeaderText(const Column& column, HeaderStyle style) {
  switch (style) {
    case HeaderStyle::kUpper:
      return absl::AsciiStrToUpper(column.name);
    case HeaderStyle::kLower:
      return absl::AsciiStrToLower(column.name);
    default:
      return column.name;
  }
}

int Within(const Column& column, int width) {
  width = std::max(width, column.min_width);
  return column.max_width == 0 ? width : std::min(width, column.max_width);
}

using Line = std::vector<std::string>;

std::vector<int> Widths(const std::vector<const Column*>& columns, const std::vector<Line>& lines,
                        const TextOptions& options) {
  std::vector<int> widths;
  for (size_t i = 0; i < columns.size(); ++i) {
    int width = columns[i]->width;
    if (options.adjust_to_content && !columns[i]->fixed) {
      int longest = 0;
      for (const Line& line : lines) longest = std::max(longest, Characters(line[i]));
      width = Within(*columns[i], longest);
    }
    widths.push_back(width);
  }
  if (options.line_width <= 0 || columns.empty()) return widths;
  int room =
      options.line_width - Characters(options.divider) * static_cast<int>(columns.size() - 1);
  int flexible = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    (columns[i]->fixed ? room : flexible) += columns[i]->fixed ? -widths[i] : widths[i];
  }
  if (flexible == 0) return widths;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i]->fixed) continue;
    widths[i] = Within(*columns[i], std::max(1, room * widths[i] / flexible));
  }
  return widths;
}

}  // namespace

std::string FormatText(const std::vector<const Column*>& columns,
                       const std::vector<ContainerPtr>& rows, const TextOptions& options) {
  std::vector<Line> lines;
  if (options.header != HeaderStyle::kNone) {
    Line& header = lines.emplace_back();
    for (const Column* column : columns) header.push_back(HeaderText(*column, options.header));
  }
  for (const ContainerPtr& row : rows) {
    if (row == nullptr) continue;
    Line& line = lines.emplace_back();
    for (const Column* column : columns) line.push_back(CellText(*column, *row));
  }
  const std::vector<int> widths = Widths(columns, lines, options);
  std::string out;
  for (const Line& line : lines) {
    std::string text;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text += options.divider;
      const std::string cell = Cut(line[i], widths[i], columns[i]->ellipsis);
      const std::string space(std::max(0, widths[i] - Characters(cell)), ' ');
      text += columns[i]->alignment == Alignment::kRight ? space + cell : cell + space;
    }
    absl::StripTrailingAsciiWhitespace(&text);
    absl::StrAppend(&out, text, "\n");
  }
  return out;
}

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
