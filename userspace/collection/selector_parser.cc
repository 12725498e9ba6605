// The extended grammar, kubectl's with fields and a few operators more (docs/selectors.md):
//
//   where       = requirement { "," requirement }
//   requirement = "!" key | key [ op value | ("in" | "notin") "(" value { "," value } ")" ]
//   op          = "=" | "==" | "!=" | "^=" | "*=" | ">" | "<"
//   key         = label | "@" field
//   value       = { character of a word } | '"' { any character, \" and \\ } '"'
#include <array>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "collection/selector_program.h"

namespace roster::selector_internal {
namespace {

// Against a hostile text that would cost minutes for each container.
constexpr size_t kMaxTextBytes = 64 * 1024;

struct FieldName {
  std::string_view name;
  Field field;
};
constexpr std::array<FieldName, 12> kFields = {{
    {"id", Field::kId},
    {"runtime", Field::kRuntime},
    {"oci-runtime", Field::kOciRuntime},
    {"name", Field::kName},
    {"image", Field::kImage},
    {"image-id", Field::kImageId},
    {"image-digest", Field::kImageDigest},
    {"namespace", Field::kNamespace},
    {"pod", Field::kPod},
    {"pod-uid", Field::kPodUid},
    {"container", Field::kContainer},
    {"owner", Field::kOwner},
}};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '/' || c == ':' || c == '@' || c == '+' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Requirement>> Parse() {
    if (text_.size() > kMaxTextBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("selector: ", text_.size(), " bytes are over the limit of ", kMaxTextBytes));
    }
    std::vector<Requirement> requirements;
    SkipSpace();
    while (true) {
      Requirement requirement;
      if (!ParseRequirement(&requirement)) return error_;
      requirements.push_back(std::move(requirement));
      SkipSpace();
      if (AtEnd()) return requirements;
      if (!Consume(",")) {
        Fail("expected ',' or the end");
        return error_;
      }
      SkipSpace();
    }
  }

 private:
  bool AtEnd() const { return offset_ == text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[offset_])) ++offset_;
  }
  bool Consume(std::string_view token) {
    if (!text_.substr(offset_).starts_with(token)) return false;
    offset_ += token.size();
    return true;
  }

  bool Fail(std::string_view what) { return FailAt(offset_, what); }
  bool FailAt(size_t offset, std::string_view what) {
    // One line of text, whatever is in it, so that the caret stands under the place.
    std::string line(text_);
    for (char& c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    // The caret counts characters, not bytes.
    size_t column = 0;
    for (size_t i = 0; i < offset; ++i) {
      if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80) ++column;
    }
    error_ = absl::InvalidArgumentError(absl::StrCat("selector: offset ", offset, ": ",
                                                     std::string(what), "\n  ", line, "\n  ",
                                                     std::string(column, ' '), "^"));
    return false;
  }

  std::string_view Word() {
    const size_t begin = offset_;
    while (!AtEnd() && IsWordCharacter(text_[offset_])) ++offset_;
    return text_.substr(begin, offset_ - begin);
  }

  bool ParseQuoted(std::string* value) {
    const size_t begin = offset_++;
    while (!AtEnd()) {
      char c = text_[offset_++];
      if (c == '"') return true;
      if (c == '\\') {
        if (AtEnd() || (text_[offset_] != '"' && text_[offset_] != '\\')) {
          return FailAt(offset_ - 1, "only \\\" and \\\\ can follow a backslash");
        }
        c = text_[offset_++];
      }
      value->push_back(c);
    }
    return FailAt(begin, "this quote is not closed");
  }

  // The value may be empty, as kubectl allows: "tier=" and "tier in (,a)".
  bool ParseValue(std::string* value) {
    SkipSpace();
    value->clear();
    if (!AtEnd() && text_[offset_] == '"') return ParseQuoted(value);
    *value = std::string(Word());
    return true;
  }

  bool ParseKey(Requirement* requirement) {
    const size_t begin = offset_;
    if (!AtEnd() && text_[offset_] == '"') return ParseQuoted(&requirement->label);
    const std::string_view word = Word();
    if (word.empty())
      return Fail(AtEnd() ? "expected a label or @field" : "expected a label or @field here");
    if (word.front() != '@') {
      requirement->label = std::string(word);
      return true;
    }
    for (const FieldName& field : kFields) {
      if (field.name != word.substr(1)) continue;
      requirement->field = field.field;
      return true;
    }
    std::string known;
    for (const FieldName& field : kFields) {
      absl::StrAppend(&known, known.empty() ? "@" : ", @", std::string(field.name));
    }
    return FailAt(begin, absl::StrCat("there is no such field; there are ", known));
  }

  bool ParseSet(Requirement* requirement) {
    SkipSpace();
    if (!Consume("(")) return Fail("expected '('");
    while (true) {
      std::string value;
      if (!ParseValue(&value)) return false;
      requirement->values.push_back(std::move(value));
      SkipSpace();
      if (Consume(")")) return true;
      if (!Consume(",")) return Fail("expected ',' or ')'");
    }
  }

  bool ParseNumber(Requirement* requirement) {
    SkipSpace();
    const size_t begin = offset_;
    std::string value;
    if (!ParseValue(&value)) return false;
    if (!absl::SimpleAtoi(value, &requirement->number)) {
      return FailAt(begin, "expected a whole number");
    }
    return true;
  }

  bool ParseOneValue(Requirement* requirement, Operator op) {
    requirement->op = op;
    SkipSpace();
    const size_t begin = offset_;
    std::string value;
    if (!ParseValue(&value)) return false;
    if (value.empty() && (op == Operator::kPrefix || op == Operator::kContains)) {
      return FailAt(begin, "expected a text: an empty one would match everything");
    }
    requirement->values.push_back(std::move(value));
    return true;
  }

  bool ParseRequirement(Requirement* requirement) {
    if (Consume("!")) {
      requirement->op = Operator::kAbsent;
      SkipSpace();
      return ParseKey(requirement);
    }
    if (!ParseKey(requirement)) return false;
    SkipSpace();
    if (Consume("==") || Consume("=")) return ParseOneValue(requirement, Operator::kIn);
    if (Consume("!=")) return ParseOneValue(requirement, Operator::kNotIn);
    if (Consume("^=")) return ParseOneValue(requirement, Operator::kPrefix);
    if (Consume("*=")) return ParseOneValue(requirement, Operator::kContains);
    if (Consume(">")) {
      requirement->op = Operator::kGreater;
      return ParseNumber(requirement);
    }
    if (Consume("<")) {
      requirement->op = Operator::kLess;
      return ParseNumber(requirement);
    }
    const size_t begin = offset_;
    const std::string_view word = Word();
    if (word == "in" || word == "notin") {
      requirement->op = word == "in" ? Operator::kIn : Operator::kNotIn;
      return ParseSet(requirement);
    }
    if (!word.empty()) return FailAt(begin, "expected an operator");
    requirement->op = Operator::kExists;
    return true;
  }

  std::string_view text_;
  size_t offset_ = 0;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<std::vector<Requirement>> ParseWhere(std::string_view text) {
  return Parser(text).Parse();
}

}  // namespace roster::selector_internal
