// PodMap is what a look-up knows of a pod's containers: a value for each, by the container's name.
//
//   for (const auto& [name, mntns] : collection.LookupMntnsByPod("shop", "web-7d4b")) ...
//   if (auto it = map.find("app"); it != map.end()) Use(it->second);
//
// A pod has a handful of containers, so that it is one sorted array: a look-up allocates once, not
// once for each name.
#ifndef ROSTER_POD_MAP_H_
#define ROSTER_POD_MAP_H_

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roster {

// Says that values come in the order of their names, each name once.
struct SortedUnique {};
inline constexpr SortedUnique kSortedUnique;

// A value, to be copied and moved; thread-compatible, as std::map.
template <typename Value>
class PodMap {
 public:
  using value_type = std::pair<std::string, Value>;
  using const_iterator = typename std::vector<value_type>::const_iterator;
  using iterator = const_iterator;

  PodMap() = default;
  // In any order; of several with one name the last one counts.
  PodMap(std::initializer_list<value_type> values) : PodMap(std::vector<value_type>(values)) {}
  explicit PodMap(std::vector<value_type> values) : values_(std::move(values)) { Sort(); }
  PodMap(SortedUnique, std::vector<value_type> values) : values_(std::move(values)) {}

  // In the order of the names.
  const_iterator begin() const { return values_.begin(); }
  const_iterator end() const { return values_.end(); }
  size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }

  // end() when there is no container of that name.
  const_iterator find(std::string_view name) const {
    const auto place = std::lower_bound(
        begin(), end(), name, [](const value_type& v, std::string_view n) { return v.first < n; });
    return place != end() && place->first == name ? place : end();
  }
  bool contains(std::string_view name) const { return find(name) != end(); }

  bool operator==(const PodMap&) const = default;

 private:
  void Sort() {
    const auto by_name = [](const value_type& a, const value_type& b) { return a.first < b.first; };
    const auto not_after = [](const value_type& a, const value_type& b) {
      return a.first >= b.first;
    };
    if (std::adjacent_find(begin(), end(), not_after) == end()) return;
    std::stable_sort(values_.begin(), values_.end(), by_name);
    size_t kept = 0;
    for (size_t i = 0; i < values_.size(); ++i) {
      if (i + 1 < values_.size() && values_[i].first == values_[i + 1].first) continue;
      if (kept != i) values_[kept] = std::move(values_[i]);
      ++kept;
    }
    values_.resize(kept);
  }

  std::vector<value_type> values_;
};

}  // namespace roster

#endif  // ROSTER_POD_MAP_H_
