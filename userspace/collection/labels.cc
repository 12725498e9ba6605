#include "roster/labels.h"

#include <algorithm>

namespace roster {
namespace {

constexpr auto kIsBefore = [](const Labels::value_type& label, std::string_view key) {
  return label.first < key;
};

}  // namespace

Labels::Labels(std::initializer_list<value_type> labels) {
  labels_.reserve(labels.size());
  for (const auto& [key, value] : labels) emplace(key, value);
}

Labels::Labels(const std::map<std::string, std::string>& labels)
    : labels_(labels.begin(), labels.end()) {}

Labels::const_iterator Labels::find(std::string_view key) const {
  const auto place = std::lower_bound(begin(), end(), key, kIsBefore);
  return place != end() && place->first == key ? place : end();
}

std::string& Labels::operator[](std::string_view key) {
  auto place = std::lower_bound(labels_.begin(), labels_.end(), key, kIsBefore);
  if (place == labels_.end() || place->first != key) {
    place = labels_.emplace(place, key, std::string());
  }
  return place->second;
}

bool Labels::emplace(std::string_view key, std::string_view value) {
  const auto place = std::lower_bound(labels_.begin(), labels_.end(), key, kIsBefore);
  if (place != labels_.end() && place->first == key) return false;
  labels_.emplace(place, key, value);
  return true;
}

bool Labels::erase(std::string_view key) {
  const const_iterator place = find(key);
  if (place == end()) return false;
  labels_.erase(place);
  return true;
}

}  // namespace roster
