// Labels is a pod's labels: a map from key to value that is one sorted array.
//
//   container.k8s.pod_labels["app"] = "web";
//   if (auto it = labels.find("app"); it != labels.end()) Use(it->second);
//   for (const auto& [key, value] : labels) ...
//
// Used much as std::map<std::string, std::string> is, which it can be made from. Values change by
// operator[] only: iterators are const. emplace says only whether it added; there is no at, insert,
// count or bound, and erase takes a key. Iterators and references end with the next change.
#ifndef ROSTER_LABELS_H_
#define ROSTER_LABELS_H_

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roster {

// A value, to be copied and moved; thread-compatible.
class Labels {
 public:
  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;
  using iterator = const_iterator;

  Labels() = default;
  // Of several with one key the first counts, as in std::map.
  Labels(std::initializer_list<value_type> labels);
  Labels(const std::map<std::string, std::string>& labels);

  // In the order of the keys.
  const_iterator begin() const { return labels_.begin(); }
  const_iterator end() const { return labels_.end(); }
  size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }

  // end() when there is no such key.
  const_iterator find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != end(); }
  // The value; the key is added, with the value "", when it is not there.
  std::string& operator[](std::string_view key);
  // False when the key is there: its value stays.
  bool emplace(std::string_view key, std::string_view value);
  // False when the key is not there.
  bool erase(std::string_view key);
  void clear() { labels_.clear(); }
  // Gives back memory set aside for more labels.
  void shrink_to_fit() { labels_.shrink_to_fit(); }

  friend bool operator==(const Labels&, const Labels&) = default;

 private:
  std::vector<value_type> labels_;
};

}  // namespace roster

#endif  // ROSTER_LABELS_H_
