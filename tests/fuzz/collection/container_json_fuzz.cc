// JSON of containers from outside: what can be read is written and read again without a difference,
// and can be shown.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "roster/columns.h"
#include "roster/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)roster::K8sMetadataFromJson(text);
  (void)roster::PubSubEventFromJson(text);
  (void)roster::IndentJson(text);
  const auto container = roster::ContainerFromJson(text);
  if (container.ok()) {
    const std::string json = roster::ToJson(*container);
    const auto again = roster::ContainerFromJson(json);
    if (!again.ok() || !(*again == *container)) std::abort();
    (void)roster::OciSpec(*container);
    static const roster::Columns& columns = *new roster::Columns(roster::GetColumns());
    const auto row = std::make_shared<roster::Container>(*container);
    (void)roster::FormatText(columns.All(), {row}, {.adjust_to_content = true});
  }
  // Any bytes become a JSON string that can be read.
  std::string quoted;
  roster::AppendJsonString(text, &quoted);
  if (nlohmann::json::parse(quoted, nullptr, false).is_discarded()) std::abort();
  return 0;
}
