#include "runtime/oci_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "text/quote.h"
#include "text/string_view.h"
#include "text/utf8.h"

namespace roster {
namespace {

using nlohmann::json;

enum class Type { kString, kObject, kArray };

// The places of a config.json that are read; everything elsewhere is stepped over.
enum class Place {
  kOutside,
  kTop,
  kAnnotations,
  kLinux,
  kNamespaces,
  kNamespace,
  kMounts,
  kMount,
  kRoot,
  kProcess,
  kArgs,
};

struct Member {
  Place parent;
  std::string_view key;
  Type type;
  Place inside = Place::kOutside;  // for objects and arrays
};

constexpr Member kMembers[] = {
    {Place::kTop, "hostname", Type::kString},
    {Place::kTop, "annotations", Type::kObject, Place::kAnnotations},
    {Place::kTop, "linux", Type::kObject, Place::kLinux},
    {Place::kTop, "mounts", Type::kArray, Place::kMounts},
    {Place::kTop, "root", Type::kObject, Place::kRoot},
    {Place::kTop, "process", Type::kObject, Place::kProcess},
    {Place::kLinux, "cgroupsPath", Type::kString},
    {Place::kLinux, "namespaces", Type::kArray, Place::kNamespaces},
    {Place::kNamespace, "type", Type::kString},
    {Place::kNamespace, "path", Type::kString},
    {Place::kMount, "source", Type::kString},
    {Place::kMount, "destination", Type::kString},
    {Place::kRoot, "path", Type::kString},
    {Place::kProcess, "args", Type::kArray, Place::kArgs},
};

const char* TypeName(Type type) {
  switch (type) {
    case Type::kString:
      return "a string";
    case Type::kObject:
      return "an object";
    case Type::kArray:
      return "an array";
  }
  return "";
}

// Fills an OciSpec while nlohmann's parser, which keeps no stack of its own on the machine's, walks
// the text. Nothing but what the spec keeps is stored. Each callback returns false to stop the
// parse; status() then says why.
class SpecReader : public nlohmann::json_sax<json> {
 public:
  explicit SpecReader(OciSpec* spec) : spec_(spec) {}

  const absl::Status& status() const { return status_; }

  bool null() override { return Step(); }
  bool boolean(bool) override { return Refuse("a boolean"); }
  bool number_integer(number_integer_t) override { return Refuse("a number"); }
  bool number_unsigned(number_unsigned_t) override { return Refuse("a number"); }
  bool number_float(number_float_t, const string_t&) override { return Refuse("a number"); }
  bool binary(binary_t&) override { return Refuse("binary"); }

  bool string(string_t& value) override {
    const std::optional<Type> expected = Expected();
    if (!expected.has_value()) return Step();
    if (*expected != Type::kString) return WrongType(*expected, "a string");
    return Store(value) && Step();
  }

  bool start_object(std::size_t) override { return Enter(Type::kObject, "an object"); }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return Enter(Type::kArray, "an array"); }
  bool end_array() override { return Leave(); }

  bool key(string_t& key) override {
    if (!frames_.empty()) frames_.back().key = frames_.back().place == Place::kOutside ? "" : key;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    // nlohmann's text quotes the input; the position is enough and is safe to print.
    return Fail(absl::StrCat("no JSON at byte ", position));
  }

 private:
  struct Frame {
    Place place;
    std::string key;   // of an object: the member being read
    size_t index = 0;  // of an array: the element being read
  };

  static bool IsArray(Place place) {
    return place == Place::kNamespaces || place == Place::kMounts || place == Place::kArgs;
  }

  const Member* CurrentMember() const {
    const Frame& frame = frames_.back();
    const auto found =
        std::find_if(std::begin(kMembers), std::end(kMembers), [&](const Member& member) {
          return member.parent == frame.place && member.key == frame.key;
        });
    return found == std::end(kMembers) ? nullptr : found;
  }

  // The type that the value at hand must have; nullopt: any, it is not read.
  std::optional<Type> Expected() const {
    if (frames_.empty()) return Type::kObject;
    switch (frames_.back().place) {
      case Place::kOutside:
        return std::nullopt;
      case Place::kAnnotations:
      case Place::kArgs:
        return Type::kString;
      case Place::kNamespaces:
      case Place::kMounts:
        return Type::kObject;
      default: {
        const Member* member = CurrentMember();
        if (member == nullptr) return std::nullopt;
        return member->type;
      }
    }
  }

  Place PlaceInside() const {
    if (frames_.empty()) return Place::kTop;
    switch (frames_.back().place) {
      case Place::kNamespaces:
        return Place::kNamespace;
      case Place::kMounts:
        return Place::kMount;
      default: {
        const Member* member = CurrentMember();
        return member == nullptr ? Place::kOutside : member->inside;
      }
    }
  }

  bool Enter(Type type, const char* what) {
    const std::optional<Type> expected = Expected();
    if (expected.has_value() && *expected != type) return WrongType(*expected, what);
    if (frames_.size() >= kMaxConfigDepth) {
      return Fail(absl::StrCat("nested deeper than ", kMaxConfigDepth, " levels"));
    }
    const Place inside = expected.has_value() ? PlaceInside() : Place::kOutside;
    // A member given twice: as with Go, a later array replaces the earlier one.
    if (inside == Place::kNamespaces) spec_->namespaces.clear();
    if (inside == Place::kMounts) spec_->mounts.clear();
    if (inside == Place::kArgs) spec_->args.clear();
    if (inside == Place::kNamespace) spec_->namespaces.emplace_back();
    if (inside == Place::kMount) spec_->mounts.emplace_back();
    frames_.push_back({inside, {}});
    return inside == Place::kNamespace || inside == Place::kMount ? Count() : true;
  }

  bool Leave() {
    frames_.pop_back();
    return Step();
  }

  // Past one value.
  bool Step() {
    if (!frames_.empty()) ++frames_.back().index;
    return true;
  }

  bool Store(std::string& value) {
    const Frame& frame = frames_.back();
    switch (frame.place) {
      case Place::kTop:
        spec_->hostname = std::move(value);
        return true;
      case Place::kAnnotations:
        spec_->annotations[frame.key] = std::move(value);
        return Count();
      case Place::kLinux:
        spec_->cgroups_path = std::move(value);
        return true;
      case Place::kNamespace:
        (frame.key == "type" ? spec_->namespaces.back().type : spec_->namespaces.back().path) =
            std::move(value);
        return true;
      case Place::kMount:
        (frame.key == "source" ? spec_->mounts.back().first : spec_->mounts.back().second) =
            std::move(value);
        return true;
      case Place::kRoot:
        spec_->rootfs = std::move(value);
        return true;
      case Place::kArgs:
        spec_->args.push_back(std::move(value));
        return Count();
      default:
        return true;
    }
  }

  bool Count() {
    if (++entries_ <= kMaxConfigEntries) return true;
    return Fail(absl::StrCat("more than ", kMaxConfigEntries, " entries"));
  }

  bool Refuse(const char* what) {
    const std::optional<Type> expected = Expected();
    return expected.has_value() ? WrongType(*expected, what) : Step();
  }

  bool WrongType(Type expected, const char* what) {
    return Fail(absl::StrCat(PathOfValue(), " is ", what, ", not ", TypeName(expected)));
  }

  // "linux.namespaces[2].type"
  std::string PathOfValue() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (IsArray(frame.place)) {
        absl::StrAppend(&path, "[", frame.index, "]");
      } else if (frame.place == Place::kAnnotations) {
        absl::StrAppend(&path, "[", QuoteForMessage(frame.key), "]");
      } else {
        absl::StrAppend(&path, path.empty() ? "" : ".", frame.key);
      }
    }
    return path.empty() ? "the top" : path;
  }

  bool Fail(std::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(ToAbsl(message));
    return false;
  }

  OciSpec* spec_;
  std::vector<Frame> frames_;
  size_t entries_ = 0;
  absl::Status status_;
};

}  // namespace

bool OciSpec::HasNamespace(std::string_view type) const {
  return std::any_of(namespaces.begin(), namespaces.end(),
                     [type](const Namespace& ns) { return ns.type == type; });
}

std::string_view OciSpec::NamespacePath(std::string_view type) const {
  const auto found = std::find_if(namespaces.begin(), namespaces.end(),
                                  [type](const Namespace& ns) { return ns.type == type; });
  return found == namespaces.end() ? std::string_view() : found->path;
}

std::string_view OciSpec::Annotation(std::string_view key) const {
  const auto found = annotations.find(std::string(key));
  return found == annotations.end() ? std::string_view() : found->second;
}

absl::StatusOr<OciSpec> ParseOciSpec(std::string_view text) {
  std::string repaired;
  if (!IsValidUtf8(text)) {
    repaired = ToValidUtf8(text);
    text = repaired;
  }
  // nlohmann takes a NUL for the end of the text and would believe what stands before it.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("no JSON at byte ", nul + 1));
  }
  OciSpec spec;
  SpecReader reader(&spec);
  if (!json::sax_parse(text.begin(), text.end(), &reader)) {
    if (!reader.status().ok()) return reader.status();
    return absl::InvalidArgumentError("no JSON");
  }
  return spec;
}

}  // namespace roster
