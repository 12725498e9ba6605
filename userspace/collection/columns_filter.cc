// Filters over columns: "column:[!][~|>=|>|<=|<]value".
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "re2/re2.h"
#include "roster/columns.h"

namespace roster {
namespace {

constexpr size_t kMaxFilterBytes = 16 * 1024;
// A regular expression may not take more than this, whatever it says.
constexpr int64_t kMaxRegexBytes = 1 << 20;

enum class Comparison { kEqual, kMatch, kGreaterEqual, kGreater, kLessEqual, kLess };

absl::string_view Absl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

bool Consume(std::string_view* text, std::string_view token) {
  if (!text->starts_with(token)) return false;
  text->remove_prefix(token.size());
  return true;
}

Comparison ConsumeComparison(std::string_view* text) {
  if (Consume(text, "~")) return Comparison::kMatch;
  if (Consume(text, ">=")) return Comparison::kGreaterEqual;
  if (Consume(text, ">")) return Comparison::kGreater;
  if (Consume(text, "<=")) return Comparison::kLessEqual;
  if (Consume(text, "<")) return Comparison::kLess;
  return Comparison::kEqual;
}

bool Compare(const ColumnValue& a, Comparison comparison, const ColumnValue& b) {
  switch (comparison) {
    case Comparison::kGreaterEqual:
      return a >= b;
    case Comparison::kGreater:
      return a > b;
    case Comparison::kLessEqual:
      return a <= b;
    case Comparison::kLess:
      return a < b;
    default:
      return a == b;
  }
}

absl::Status Invalid(std::string_view filter, size_t offset, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("column filter \"", Absl(filter), "\": offset ", offset, ": ", Absl(what)));
}

// The text as the type that the column has; an empty one is the type's zero.
absl::StatusOr<ColumnValue> ParseAs(const ColumnValue& type, std::string_view text) {
  if (std::holds_alternative<std::string>(type)) return ColumnValue(std::string(text));
  if (std::holds_alternative<bool>(type)) {
    bool value = false;
    if (text.empty() || absl::SimpleAtob(Absl(text), &value)) return ColumnValue(value);
    return absl::InvalidArgumentError("expected true or false");
  }
  if (std::holds_alternative<uint64_t>(type)) {
    uint64_t value = 0;
    if (text.empty() || absl::SimpleAtoi(Absl(text), &value)) return ColumnValue(value);
  } else {
    int64_t value = 0;
    if (text.empty() || absl::SimpleAtoi(Absl(text), &value)) return ColumnValue(value);
  }
  return absl::InvalidArgumentError("expected a whole number");
}

std::string AsText(const ColumnValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<uint64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return std::get<bool>(value) ? "true" : "false";
}

}  // namespace

absl::StatusOr<ColumnFilter> ParseColumnFilter(const Columns& columns, std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "column filter: ", text.size(), " bytes are over the limit of ", kMaxFilterBytes));
  }
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const Column* found = columns.Find(name);
  if (found == nullptr) return Invalid(text, 0, "there is no such column");
  // The filter may outlive `columns`.
  const auto value_of = found->value;

  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const bool negate = Consume(&rest, "!");
  const Comparison comparison = ConsumeComparison(&rest);
  const size_t offset = text.size() - rest.size();
  if (comparison == Comparison::kMatch) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(kMaxRegexBytes);
    const auto regex =
        std::make_shared<const RE2>(re2::StringPiece(rest.data(), rest.size()), options);
    if (!regex->ok()) return Invalid(text, offset, regex->error());
    return ColumnFilter([=](const Container& container) {
      return RE2::PartialMatch(AsText(value_of(container)), *regex) != negate;
    });
  }
  const absl::StatusOr<ColumnValue> wanted = ParseAs(value_of(Container()), rest);
  if (!wanted.ok()) {
    return Invalid(text, offset, std::string(wanted.status().message()));
  }
  return ColumnFilter([=, wanted = *wanted](const Container& container) {
    return Compare(value_of(container), comparison, wanted) != negate;
  });
}

absl::StatusOr<std::vector<ColumnFilter>> ParseColumnFilters(
    const Columns& columns, const std::vector<std::string>& texts) {
  std::vector<ColumnFilter> filters;
  for (const std::string& text : texts) {
    absl::StatusOr<ColumnFilter> filter = ParseColumnFilter(columns, text);
    if (!filter.ok()) return filter.status();
    filters.push_back(*std::move(filter));
  }
  return filters;
}

std::vector<ContainerPtr> FilterRows(std::vector<ContainerPtr> rows,
                                     const std::vector<ColumnFilter>& filters) {
  std::erase_if(rows, [&](const ContainerPtr& row) {
    for (const ColumnFilter& filter : filters) {
      if (row == nullptr || !filter(*row)) return true;
    }
    return false;
  });
  return rows;
}

}  // namespace roster
