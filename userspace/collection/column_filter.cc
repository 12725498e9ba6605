// The condition of a column filter: ":[!][~|>=|>|<=|<]value".
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "re2/re2.h"
#include "roster/column.h"
#include "text/string_view.h"

namespace roster {
namespace {

constexpr size_t kMaxFilterBytes = 16 * 1024;
// A regular expression may not take more than this, whatever it says.
constexpr int64_t kMaxRegexBytes = 1 << 20;

enum class Comparison { kEqual, kMatch, kGreaterEqual, kGreater, kLessEqual, kLess };

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
      absl::StrCat("column filter \"", ToAbsl(filter), "\": offset ", offset, ": ", ToAbsl(what)));
}

// The text as the type that the column has; an empty one is the type's zero.
absl::StatusOr<ColumnValue> ParseAs(const ColumnValue& type, std::string_view text) {
  if (std::holds_alternative<std::string>(type)) return ColumnValue(std::string(text));
  if (std::holds_alternative<bool>(type)) {
    bool value = false;
    if (text.empty() || absl::SimpleAtob(ToAbsl(text), &value)) return ColumnValue(value);
    return absl::InvalidArgumentError("expected true or false");
  }
  if (std::holds_alternative<absl::Duration>(type)) {
    absl::Duration value;
    if (text.empty() || absl::ParseDuration(ToAbsl(text), &value)) return ColumnValue(value);
    return absl::InvalidArgumentError("expected a duration such as 1h30m");
  }
  if (std::holds_alternative<uint64_t>(type)) {
    uint64_t value = 0;
    if (text.empty() || absl::SimpleAtoi(ToAbsl(text), &value)) return ColumnValue(value);
  } else {
    int64_t value = 0;
    if (text.empty() || absl::SimpleAtoi(ToAbsl(text), &value)) return ColumnValue(value);
  }
  return absl::InvalidArgumentError("expected a whole number");
}

}  // namespace

absl::StatusOr<std::string_view> FilteredColumn(std::string_view filter) {
  if (filter.size() > kMaxFilterBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "column filter: ", filter.size(), " bytes are over the limit of ", kMaxFilterBytes));
  }
  return filter.substr(0, filter.find(':'));
}

absl::Status NoSuchColumn(std::string_view filter) {
  return Invalid(filter, 0, "there is no such column");
}

absl::StatusOr<ValuePredicate> ParseComparison(std::string_view filter, size_t column_length,
                                               const ColumnValue& type) {
  std::string_view rest = filter.substr(column_length);
  Consume(&rest, ":");
  const bool negate = Consume(&rest, "!");
  const Comparison comparison = ConsumeComparison(&rest);
  const size_t offset = filter.size() - rest.size();
  if (comparison == Comparison::kMatch) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(kMaxRegexBytes);
    const auto regex =
        std::make_shared<const RE2>(re2::StringPiece(rest.data(), rest.size()), options);
    if (!regex->ok()) return Invalid(filter, offset, regex->error());
    return ValuePredicate([=](const ColumnValue& value) {
      return RE2::PartialMatch(ColumnValueText(value), *regex) != negate;
    });
  }
  const absl::StatusOr<ColumnValue> wanted = ParseAs(type, rest);
  if (!wanted.ok()) return Invalid(filter, offset, std::string(wanted.status().message()));
  return ValuePredicate([=, wanted = *wanted](const ColumnValue& value) {
    return Compare(value, comparison, wanted) != negate;
  });
}

}  // namespace roster
