// OptionScanner walks over the words of a command line and tells options, values and positional
// words apart.
#ifndef ROSTER_USERSPACE_RUNTIME_OPTION_SCANNER_H_
#define ROSTER_USERSPACE_RUNTIME_OPTION_SCANNER_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/option_tables.h"

namespace roster {

//   OptionScanner scanner(argv, 1, grammar.spelling, grammar.global);
//   while (true) {
//     ROSTER_ASSIGN_OR_RETURN(auto item, scanner.Next());
//     if (!item.has_value()) break;
//     ...
//   }
//
// Views point into the words given, which must stay. Not thread-safe. Next() never allocates more
// than a message.
class OptionScanner {
 public:
  struct Item {
    const Option* option =
        nullptr;  // nullptr: a positional word, or an option that is not in the table
    bool positional = false;
    std::string_view value;  // the option's value, or the positional word
    bool on = true;          // false: a flag given as --flag=false
  };

  OptionScanner(const std::vector<std::string>& words, size_t begin, Spelling spelling,
                std::span<const Option> options)
      : words_(words), at_(begin), spelling_(spelling), options_(options) {}

  // The next option or positional word, nullopt at the end. INVALID_ARGUMENT when an option that
  // takes a value is the last word.
  absl::StatusOr<std::optional<Item>> Next();

  // After an option that is not in the table, and whose value, if any, was not given with '=': the
  // word that would be its value, if it has one.
  std::optional<std::string_view> PossibleValue() const;
  void SkipWord() { ++at_; }

  // Index of the next word to be looked at.
  size_t position() const { return at_; }

 private:
  const Option* FindName(std::string_view name) const;
  const Option* FindLetter(char letter) const;
  absl::StatusOr<std::optional<Item>> Letter();
  absl::StatusOr<std::optional<Item>> WithNextWord(const Option& option);

  const std::vector<std::string>& words_;
  size_t at_;
  Spelling spelling_;
  std::span<const Option> options_;
  std::string_view cluster_;    // what is left of a word of single letters
  bool options_ended_ = false;  // after "--"
  bool value_may_follow_ = false;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_OPTION_SCANNER_H_
