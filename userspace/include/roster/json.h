// JSON of containers and their events, byte for byte that of Inspektor Gadget's Go types.
//
// Writing: keys in the order of the struct, empty values left out ("runtime" and "k8s" always
// present), labels sorted, and Go's escapes: < > & U+2028 U+2029 as \uXXXX, bytes that are not
// UTF-8 as \ufffd. Reading: keys in any case, unknown keys ignored, null ignored, podLabels as an
// object or as "k=v,k2=v2", and the older top-level "pid". A wrong type or a number that does not
// fit is an error, with the key in the message.
#ifndef ROSTER_JSON_H_
#define ROSTER_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "roster/container.h"
#include "roster/events.h"
#include "roster/pubsub.h"

namespace roster {

std::string ToJson(const Container& container);
absl::StatusOr<Container> ContainerFromJson(std::string_view text);

std::string ToJson(const RuntimeMetadata& runtime);
std::string ToJson(const K8sMetadata& k8s);
absl::StatusOr<K8sMetadata> K8sMetadataFromJson(std::string_view text);

// {"timestamp":"2006-01-02T15:04:05+01:00","event":"CREATED","container":{...}}, in the local time
// zone. Reading accepts the event's number as well.
std::string ToJson(const PubSubEvent& event);
absl::StatusOr<PubSubEvent> PubSubEventFromJson(std::string_view text);

std::string ToJson(const CommonData& data);

// The container's OCI configuration, parsed anew at each call. NOT_FOUND when it has none,
// INVALID_ARGUMENT when it is not a JSON object.
absl::StatusOr<nlohmann::json> OciSpec(const Container& container);

// `text` as a JSON string, quotes included, escaped as Go does. Appends.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace roster

#endif  // ROSTER_JSON_H_
