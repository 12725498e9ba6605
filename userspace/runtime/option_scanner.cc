#include "runtime/option_scanner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "text/string_view.h"

namespace roster {
namespace {

// How Go's strconv.ParseBool spells false.
bool IsFalse(std::string_view value) {
  constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  return std::find(std::begin(kFalse), std::end(kFalse), value) != std::end(kFalse);
}

}  // namespace

const Option* OptionScanner::FindName(std::string_view name) const {
  const Option* shortened = nullptr;
  bool ambiguous = false;
  for (const Option& option : options_) {
    if (option.name == name) return &option;
    if (spelling_ == Spelling::kGo && name.size() == 1 && option.letter == name[0]) return &option;
    if (spelling_ == Spelling::kGetopt && !name.empty() && option.name.starts_with(name)) {
      // Two rows of one name (version: -v and -V) are one option.
      if (shortened != nullptr && shortened->name != option.name) ambiguous = true;
      shortened = &option;
    }
  }
  return ambiguous ? nullptr : shortened;
}

const Option* OptionScanner::FindLetter(char letter) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [letter](const Option& option) {
    return option.letter == letter && letter != '\0';
  });
  return found == options_.end() ? nullptr : &*found;
}

absl::StatusOr<std::optional<OptionScanner::Item>> OptionScanner::WithNextWord(
    const Option& option) {
  if (at_ >= words_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("option --", ToAbsl(option.name), ": its value is missing"));
  }
  return Item{&option, false, words_[at_++]};
}

absl::StatusOr<std::optional<OptionScanner::Item>> OptionScanner::Letter() {
  const Option* option = FindLetter(cluster_[0]);
  cluster_.remove_prefix(1);
  if (option == nullptr) {
    value_may_follow_ = cluster_.empty();
    cluster_ = {};
    return Item{};
  }
  if (!option->takes_value) return Item{option, false, {}};
  std::string_view value = cluster_;
  cluster_ = {};
  if (value.empty() || spelling_ == Spelling::kGlib) return WithNextWord(*option);
  if (spelling_ == Spelling::kClap && value.starts_with('=')) value.remove_prefix(1);
  return Item{option, false, value};
}

absl::StatusOr<std::optional<OptionScanner::Item>> OptionScanner::Next() {
  value_may_follow_ = false;
  if (!cluster_.empty()) return Letter();
  if (at_ >= words_.size()) return std::optional<Item>();
  std::string_view word = words_[at_++];
  if (options_ended_ || word.size() < 2 || word[0] != '-') return Item{nullptr, true, word};
  if (word == "--") {
    options_ended_ = true;
    return Next();
  }
  const bool two_dashes = word[1] == '-';
  word.remove_prefix(two_dashes ? 2 : 1);
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const bool by_name = two_dashes || (spelling_ == Spelling::kGo && FindName(name) != nullptr);
  if (!by_name) {
    cluster_ = word;
    return Letter();
  }
  const Option* option = FindName(name);
  if (option == nullptr) {
    value_may_follow_ = equals == std::string_view::npos;
    return Item{};
  }
  if (equals != std::string_view::npos) {
    const std::string_view value = word.substr(equals + 1);
    return Item{option, false, value, option->takes_value || !IsFalse(value)};
  }
  return option->takes_value ? WithNextWord(*option) : Item{option, false, {}};
}

std::optional<std::string_view> OptionScanner::PossibleValue() const {
  if (!value_may_follow_ || at_ >= words_.size() || words_[at_].starts_with('-')) {
    return std::nullopt;
  }
  return words_[at_];
}

}  // namespace roster
