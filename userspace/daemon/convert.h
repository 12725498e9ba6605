// Between the library's types and those of roster.v1.
#ifndef ROSTER_USERSPACE_DAEMON_CONVERT_H_
#define ROSTER_USERSPACE_DAEMON_CONVERT_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/container_source.h"
#include "roster.pb.h"
#include "roster/container.h"
#include "roster/pubsub.h"
#include "roster/selector.h"

namespace roster {

void ToProto(const Container& container, const std::optional<PinFacts>& facts,
             bool include_oci_config, v1::Container* proto);
Container FromProto(const v1::Container& proto);

v1::Event::Type ToProto(EventType type);

// Without `container`, which WatchFilter takes; see there.
ContainerSelector FromProto(const v1::Selector& proto);

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_CONVERT_H_
