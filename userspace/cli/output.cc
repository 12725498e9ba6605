#include "cli/output.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "lookup/state_names.h"
#include "roster/json.h"
#include "text/terminal.h"
#include "text/utf8.h"

namespace roster::cli {
namespace {

using Json = nlohmann::ordered_json;

// The same JSON, with what a terminal would obey (DEL, C1, characters that reorder or hide text) as
// \uXXXX: JSON itself escapes no more than the C0 controls.
std::string ForTerminal(const std::string& json) {
  std::string text;
  text.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    const std::string_view rest = std::string_view(json).substr(i);
    uint32_t code = 0;
    const size_t length = DecodeUtf8(rest, &code);
    if (length == 0 || code < 0x20 || PrintableUtf8(rest) != 0) {
      const size_t taken = length == 0 ? 1 : length;  // all of our JSON is UTF-8
      text.append(rest.substr(0, taken));
      i += taken;
      continue;
    }
    if (code > 0xffff) {
      absl::StrAppendFormat(&text, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                            0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      absl::StrAppendFormat(&text, "\\u%04x", code);
    }
    i += length;
  }
  return text;
}

// What the reference's JSON has no key for.
std::string RosterJson(const Entry& entry) {
  Json json = Json::object();
  if (entry.container.handle != 0) json["handle"] = entry.container.handle;
  json["state"] = DisplayStatus(entry);
  if (entry.flags != 0) json["flags"] = FlagNames(entry.flags);
  if (!entry.container.oci_runtime.empty())
    json["ociRuntime"] = std::string(entry.container.oci_runtime);
  if (entry.created_at != 0) {
    json["createdAt"] = absl::FormatTime(
        "%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixNanos(entry.created_at), absl::UTCTimeZone());
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Not yet for a terminal.
std::string RawJson(const Entry& entry) {
  std::string json = ToJson(entry.container);
  json.insert(json.size() - 1,
              ",\"roster\":" + RosterJson(entry));  // never empty: "runtime" is always there
  return json;
}

Json Parsed(const Entry& entry) {
  return Json::parse(RawJson(entry), nullptr, /*allow_exceptions=*/false);
}

std::string Pretty(const Json& json) {
  return ForTerminal(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

// Words and shapes that some YAML reader takes for something else than a string.
bool IsPlainYaml(const std::string& text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '/' && c != '.')
      return false;
  }
  const bool starts_with_letter =
      (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') || text[0] == '/';
  if (!starts_with_letter) return false;
  for (const char* word : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (strcasecmp(text.c_str(), word) == 0) return false;
  }
  return true;
}

std::string YamlScalar(const Json& value) {
  if (value.is_string() && IsPlainYaml(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  // Every JSON scalar is a YAML one; ASCII, so that no reader stumbles over a control character of
  // Unicode.
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

void AppendYaml(const Json& value, size_t indent, std::string* out) {
  const std::string pad(indent, ' ');
  if (value.is_object()) {
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      // The first key stands behind the "- " of a list or at the beginning of the text.
      if (!first) out->append(pad);
      first = false;
      absl::StrAppend(out, YamlScalar(key), ":");
      if (item.is_structured() && !item.empty()) {
        absl::StrAppend(out, "\n", pad, item.is_object() ? "  " : "");
        AppendYaml(item, item.is_object() ? indent + 2 : indent, out);
      } else {
        absl::StrAppend(out, " ",
                        item.is_structured() ? (item.is_object() ? "{}" : "[]") : YamlScalar(item),
                        "\n");
      }
    }
    return;
  }
  if (value.is_array()) {
    bool first = true;
    for (const Json& item : value) {
      if (!first) out->append(pad);
      first = false;
      out->append("- ");
      if (item.is_structured() && !item.empty()) {
        AppendYaml(item, indent + 2, out);
      } else {
        absl::StrAppend(
            out, item.is_structured() ? (item.is_object() ? "{}" : "[]") : YamlScalar(item), "\n");
      }
    }
    return;
  }
  absl::StrAppend(out, YamlScalar(value), "\n");
}

}  // namespace

std::string EntryJson(const Entry& entry) { return ForTerminal(RawJson(entry)); }

std::string EntryJsonPretty(const Entry& entry) { return Pretty(Parsed(entry)); }

std::string EntriesJson(const std::vector<Entry>& entries) {
  Json array = Json::array();
  for (const Entry& entry : entries) array.push_back(Parsed(entry));
  return Pretty(array);
}

std::string EntryYaml(const Entry& entry) { return ToYaml(Parsed(entry)); }

std::string EntriesYaml(const std::vector<Entry>& entries) {
  Json array = Json::array();
  for (const Entry& entry : entries) array.push_back(Parsed(entry));
  return array.empty() ? "[]\n" : ToYaml(array);
}

std::string EventJson(std::string_view name, absl::Time time, const Entry& entry) {
  // RFC 3339 as Go writes it: "Z" for UTC.
  std::string timestamp = absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, absl::LocalTimeZone());
  if (timestamp.ends_with("+00:00")) timestamp.replace(timestamp.size() - 6, 6, "Z");
  return absl::StrCat("{\"timestamp\":\"", timestamp, "\",\"event\":\"",
                      absl::string_view(name.data(), name.size()),
                      "\",\"container\":", EntryJson(entry), "}");
}

std::string ToYaml(const Json& value) {
  std::string text;
  AppendYaml(value, 0, &text);
  return text;
}

bool Print(std::string_view text) {
  return fwrite(text.data(), 1, text.size(), stdout) == text.size() && fflush(stdout) == 0;
}

void PrintError(std::string_view text) { PrintNotice(text); }

void PrintNotice(std::string_view text) {
  std::string lines = "roster: ";
  // Our own messages may have several lines (a caret under a selector's fault); nothing else of
  // them is trusted.
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines += EscapeForTerminal(text.substr(begin, end - begin));
    lines += '\n';
    begin = end + 1;
  }
  fwrite(lines.data(), 1, lines.size(), stderr);
}

bool StdoutIsColourful() {
  const char* no_colour = getenv("NO_COLOR");
  const char* term = getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0') &&
         term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace roster::cli
