// Any bytes as a config.json: no crash, no unbounded stack, and what is kept is valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/metadata.h"
#include "runtime/oci_spec.h"
#include "text/string_view.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<roster::OciSpec> spec = roster::ParseOciSpec(text);
  if (!spec.ok()) {
    if (!roster::IsValidUtf8(roster::ToStd(spec.status().message()))) abort();
    return 0;
  }
  roster::Container container;
  container.bundle = spec->rootfs;
  roster::FillFromSpec(*spec, &container);
  if (!roster::IsValidUtf8(spec->hostname) || !roster::IsValidUtf8(container.k8s.pod_name)) abort();
  return 0;
}
