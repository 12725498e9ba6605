#include "roster/column.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "text/string_view.h"

namespace roster {
namespace {

std::string KnownNames(const std::vector<const ColumnStyle*>& styles) {
  std::string names;
  for (const ColumnStyle* style : styles) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", style->name);
  }
  return names;
}

struct Template {
  const char* kind;
  ColumnStyle style;
};

std::vector<Template> MakeTemplates() {
  const ColumnStyle image = {.width = 30};
  return {
      {"timestamp", {.width = 35, .max_width = 35, .hide = true}},
      {"node", {.width = 30, .ellipsis = Ellipsis::kMiddle}},
      {"namespace", {.width = 30}},
      {"pod", {.width = 30, .ellipsis = Ellipsis::kMiddle}},
      {"container", {.width = 30}},
      {"containerPid", {.width = 6, .hide = true}},
      {"containerImageName", image},
      {"containerImageDigest", image},
      {"containerImageID", image},
      {"containerStartedAt", {.width = 35, .hide = true}},
      {"comm", {.max_width = 16}},
      {"pid", {.min_width = 7}},
      {"uid", {.min_width = 8}},
      {"gid", {.min_width = 8}},
      {"ns", {.width = 12, .hide = true}},
      {"ipaddr", {.min_width = 15, .max_width = 45}},
      {"ipport", {.width = 5, .min_width = 5}},  // a port is a 16-bit number
      {"ipaddrport", {.width = 40, .min_width = 22, .max_width = 52}},
      {"ipversion", {.width = 2, .fixed = true}},
      {"syscall", {.width = 18, .max_width = 28}},
  };
}

}  // namespace

std::string ColumnValueText(const ColumnValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<uint64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* time = std::get_if<absl::Duration>(&value)) return absl::FormatDuration(*time);
  return std::get<bool>(value) ? "true" : "false";
}

absl::Status CheckColumnStyle(const ColumnStyle& style) {
  if (style.name.empty()) return absl::InvalidArgumentError("a column has no name");
  if (style.min_width < 1 || style.width < style.min_width ||
      (style.max_width != 0 && style.max_width < style.width)) {
    return absl::InvalidArgumentError(absl::StrCat("column ", style.name, ": the width ",
                                                   style.width, " is not within ", style.min_width,
                                                   " and ", style.max_width));
  }
  return absl::OkStatus();
}

absl::StatusOr<ColumnStyle> ColumnTemplate(std::string_view kind) {
  static const std::vector<Template>& templates = *new std::vector<Template>(MakeTemplates());
  for (const Template& known : templates) {
    if (kind == known.kind) return known.style;
  }
  return absl::NotFoundError(absl::StrCat("column template \"", ToAbsl(kind), "\": is not known"));
}

bool IsNamed(const ColumnStyle& style, std::string_view name) {
  const auto same = [name](const std::string& own) {
    return absl::EqualsIgnoreCase(own, ToAbsl(name));
  };
  return same(style.name) || std::any_of(style.aliases.begin(), style.aliases.end(), same);
}

bool HasTag(const ColumnStyle& style, std::string_view tag) {
  return std::any_of(style.tags.begin(), style.tags.end(), [tag](const std::string& own) {
    return absl::EqualsIgnoreCase(own, ToAbsl(tag));
  });
}

absl::StatusOr<std::vector<size_t>> ChooseStyles(const std::vector<const ColumnStyle*>& styles,
                                                 std::string_view names) {
  std::vector<size_t> chosen;
  const bool changes = names.empty() || names.front() == '+' || names.front() == '-';
  for (size_t i = 0; changes && i < styles.size(); ++i) {
    if (!styles[i]->hide) chosen.push_back(i);
  }
  if (names.empty()) return chosen;
  for (absl::string_view part : absl::StrSplit(ToAbsl(names), ',')) {
    part = absl::StripAsciiWhitespace(part);
    const bool remove = absl::ConsumePrefix(&part, "-");
    const bool add = !remove && absl::ConsumePrefix(&part, "+");
    if ((add || remove) != changes) {
      return absl::InvalidArgumentError(
          absl::StrCat("columns \"", ToAbsl(names),
                       "\": either all names have a + or - before them, or none has"));
    }
    const auto found = std::find_if(styles.begin(), styles.end(), [&](const ColumnStyle* style) {
      return IsNamed(*style, std::string_view(part.data(), part.size()));
    });
    if (found == styles.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("column \"", part, "\" is not known; there are ", KnownNames(styles)));
    }
    const size_t place = static_cast<size_t>(found - styles.begin());
    std::erase(chosen, place);
    if (!remove) chosen.push_back(place);
  }
  return chosen;
}

}  // namespace roster
