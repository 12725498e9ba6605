// Columns says how rows are shown as a table: which columns there are, and how to choose, sort,
// filter, group and print by them. GetColumns() has those of a container; the rows of a
// BasicColumns may be anything, such as a tracer's events with the container that each belongs to.
//
//   Columns columns = GetColumns();
//   std::vector<ContainerPtr> rows = collection.GetContainersBySelector({});
//   auto filters = ParseColumnFilters(columns, {"k8s.namespace:shop"});
//
//   if (filters.ok()) rows = FilterRows(std::move(rows), *filters);
//
//   SortRows(columns, {"runtime.runtimeName", "-runtime.containerPid"}, &rows);
//
//   std::string table = FormatText(columns.Shown(), rows);
//
// Names are compared without regard to case. Names, widths, tags and behaviour are those of
// Inspektor Gadget's columns. Columns that are not being changed may be used by several threads.
#ifndef ROSTER_COLUMNS_H_
#define ROSTER_COLUMNS_H_

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/column.h"
#include "roster/container.h"
#include "roster/text_table.h"

namespace roster {

template <typename Row>
struct BasicColumn : ColumnStyle {
  // What sorting and filtering compare.
  std::function<ColumnValue(const Row&)> value;
  // What is shown; empty: the value.
  std::function<std::string(const Row&)> text;
  // For columns that are summed in a group: adds the second's value to the first's. Empty: the
  // group's first counts.
  std::function<void(Row*, const Row&)> sum;

  std::string CellText(const Row& row) const {
    return text ? text(row) : ColumnValueText(value(row));
  }
};

template <typename Row>
class BasicColumns {
 public:
  using Column = BasicColumn<Row>;

  // INVALID_ARGUMENT without a name, a value or with widths that contradict; ALREADY_EXISTS for a
  // name in use.
  absl::Status Add(Column column) {
    if (absl::Status style = CheckColumnStyle(column); !style.ok()) return style;
    if (column.value == nullptr) {
      return absl::InvalidArgumentError("column " + column.name + ": it has no value");
    }
    if (Find(column.name) != nullptr) {
      return absl::AlreadyExistsError("column " + column.name + ": is there already");
    }
    const auto place =
        std::upper_bound(columns_.begin(), columns_.end(), column.order,
                         [](int order, const auto& other) { return order < other->order; });
    columns_.insert(place, std::make_shared<const Column>(std::move(column)));
    return absl::OkStatus();
  }

  // nullptr when there is none. Columns live as long as this or a copy of it.
  const Column* Find(std::string_view name) const {
    return First([name](const Column& column) { return IsNamed(column, name); });
  }

  // By order, then as added.
  std::vector<const Column*> All() const {
    return Only([](const Column&) { return true; });
  }
  // Those that are not hidden.
  std::vector<const Column*> Shown() const {
    return Only([](const Column& column) { return !column.hide; });
  }
  std::vector<const Column*> WithTag(std::string_view tag) const {
    return Only([tag](const Column& column) { return HasTag(column, tag); });
  }
  std::vector<const Column*> WithoutTag(std::string_view tag) const {
    return Only([tag](const Column& column) { return !HasTag(column, tag); });
  }

  // As ChooseStyles: "a,b" or "+a,-b".
  absl::StatusOr<std::vector<const Column*>> Choose(std::string_view names) const {
    const std::vector<const Column*> all = All();
    const auto places = ChooseStyles({all.begin(), all.end()}, names);
    if (!places.ok()) return places.status();
    std::vector<const Column*> chosen;
    for (const size_t place : *places) chosen.push_back(all[place]);
    return chosen;
  }

 private:
  template <typename Predicate>
  const Column* First(Predicate wanted) const {
    for (const auto& column : columns_) {
      if (wanted(*column)) return column.get();
    }
    return nullptr;
  }
  template <typename Predicate>
  std::vector<const Column*> Only(Predicate wanted) const {
    std::vector<const Column*> columns;
    for (const auto& column : columns_) {
      if (wanted(*column)) columns.push_back(column.get());
    }
    return columns;
  }

  std::vector<std::shared_ptr<const Column>> columns_;
};

using Column = BasicColumn<Container>;
using Columns = BasicColumns<Container>;

// The columns of a container.
Columns GetColumns();

template <typename Row>
using Rows = std::vector<std::shared_ptr<const Row>>;

// Stable; by the first key, then by the second, ...; "-name" is descending; no row (nullptr) comes
// last. Keys that are no column are ignored, and returned.
template <typename Row>
std::vector<std::string> SortRows(const BasicColumns<Row>& columns,
                                  const std::vector<std::string>& keys, Rows<Row>* rows) {
  std::vector<std::string> ignored;
  // From the least to the most important key.
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const bool descending = key->starts_with('-');
    const auto* column = columns.Find(std::string_view(*key).substr(descending ? 1 : 0));
    if (column == nullptr) {
      ignored.insert(ignored.begin(), *key);
      continue;
    }
    std::stable_sort(rows->begin(), rows->end(), [&](const auto& a, const auto& b) {
      if (a == nullptr || b == nullptr) return a != nullptr;
      return descending ? column->value(*b) < column->value(*a)
                        : column->value(*a) < column->value(*b);
    });
  }
  return ignored;
}

template <typename Row>
using BasicColumnFilter = std::function<bool(const Row&)>;
using ColumnFilter = BasicColumnFilter<Container>;

// "column:value" equals; "column:!value" does not; "column:~regex" finds (RE2); "column:>=value",
// ">", "<=", "<" compare; "column:!~regex" and so on negate. "column" alone is "column:".
// INVALID_ARGUMENT with the place for an unknown column, a number, boolean or duration ("1h30m")
// that is none, a regular expression that does not compile. The filter may outlive `columns`.
template <typename Row>
absl::StatusOr<BasicColumnFilter<Row>> ParseColumnFilter(const BasicColumns<Row>& columns,
                                                         std::string_view text) {
  const absl::StatusOr<std::string_view> name = FilteredColumn(text);
  if (!name.ok()) return name.status();
  const auto* column = columns.Find(*name);
  if (column == nullptr) return NoSuchColumn(text);
  absl::StatusOr<ValuePredicate> matches =
      ParseComparison(text, name->size(), column->value(Row()));
  if (!matches.ok()) return matches.status();
  return BasicColumnFilter<Row>([value = column->value, matches = *std::move(matches)](
                                    const Row& row) { return matches(value(row)); });
}

template <typename Row>
absl::StatusOr<std::vector<BasicColumnFilter<Row>>> ParseColumnFilters(
    const BasicColumns<Row>& columns, const std::vector<std::string>& texts) {
  std::vector<BasicColumnFilter<Row>> filters;
  for (const std::string& text : texts) {
    absl::StatusOr<BasicColumnFilter<Row>> filter = ParseColumnFilter(columns, text);
    if (!filter.ok()) return filter.status();
    filters.push_back(*std::move(filter));
  }
  return filters;
}

// What passes all filters; no row (nullptr) passes none.
template <typename Row>
Rows<Row> FilterRows(Rows<Row> rows, const std::vector<BasicColumnFilter<Row>>& filters) {
  std::erase_if(rows, [&](const auto& row) {
    return std::any_of(filters.begin(), filters.end(),
                       [&](const auto& filter) { return row == nullptr || !filter(*row); });
  });
  return rows;
}

// One row for each value of the keys together, in order of first appearance: a copy of the group's
// first row, with the sums of the columns that have them. "" as key groups everything.
// INVALID_ARGUMENT for an unknown key.
template <typename Row>
absl::StatusOr<Rows<Row>> GroupRows(const BasicColumns<Row>& columns,
                                    const std::vector<std::string>& keys, const Rows<Row>& rows) {
  if (keys.empty()) return rows;
  std::vector<const BasicColumn<Row>*> by;
  for (const std::string& key : keys) {
    if (key.empty()) continue;
    by.push_back(columns.Find(key));
    if (by.back() == nullptr) {
      return absl::InvalidArgumentError("group: there is no column \"" + key + "\"");
    }
  }
  std::vector<std::shared_ptr<Row>> groups;
  std::map<std::vector<ColumnValue>, size_t> places;
  for (const auto& row : rows) {
    if (row == nullptr) continue;
    std::vector<ColumnValue> key;
    for (const auto* column : by) key.push_back(column->value(*row));
    const auto [place, fresh] = places.emplace(std::move(key), groups.size());
    if (fresh) {
      groups.push_back(std::make_shared<Row>(*row));
      continue;
    }
    for (const auto* column : columns.All()) {
      if (column->sum) column->sum(groups[place->second].get(), *row);
    }
  }
  return Rows<Row>(groups.begin(), groups.end());
}

template <typename Row>
std::vector<ColumnStyle> Styles(const std::vector<const BasicColumn<Row>*>& columns) {
  std::vector<ColumnStyle> styles;
  styles.reserve(columns.size());
  for (const auto* column : columns) styles.push_back(*column);
  return styles;
}

template <typename Row>
TextTable::Cells CellsOf(const std::vector<const BasicColumn<Row>*>& columns, const Row& row) {
  TextTable::Cells cells;
  for (const auto* column : columns) cells.push_back(column->CellText(row));
  return cells;
}

// Lines, each ended; see TextTable. No row (nullptr) is left out.
template <typename Row>
std::string FormatText(const std::vector<const BasicColumn<Row>*>& columns, const Rows<Row>& rows,
                       TextOptions options = {}) {
  std::vector<TextTable::Cells> cells;
  for (const auto& row : rows) {
    if (row != nullptr) cells.push_back(CellsOf(columns, *row));
  }
  return TextTable(Styles(columns), std::move(options)).Render(std::move(cells));
}

// An array of containers as roster/json.h writes them, indented by two spaces; "[]" for none.
std::string FormatJson(const std::vector<ContainerPtr>& rows);
// Indents compact JSON as Go's json.Indent does. What is no JSON comes out as some text.
std::string IndentJson(std::string_view json);

}  // namespace roster

#endif  // ROSTER_COLUMNS_H_
