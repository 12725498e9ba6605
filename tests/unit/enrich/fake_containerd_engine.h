// FakeContainerdEngine is no engine: a gRPC server that answers containerd's questions about one
// made-up container.
#ifndef ROSTER_TESTS_UNIT_ENRICH_FAKE_CONTAINERD_ENGINE_H_
#define ROSTER_TESTS_UNIT_ENRICH_FAKE_CONTAINERD_ENGINE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace roster {

// What the fake does, and what of it fails; "UNAVAILABLE" is what a client makes of each failure.
struct FakeContainerdFaults {
  bool tasks = false;
  bool images = false;
  bool content = false;
  absl::Duration each_call = absl::ZeroDuration();  // every call takes so long
  bool images_hang = false;  // calls for images, until the engine is destroyed
};

// "run" of the image "image:1", in the namespace "default", runs in the process of this test. The
// image's digest is sha256:target, that of its configuration sha256:config. There is a sandbox too,
// "pod", whose label is app=web; it is in no list.
class FakeContainerdEngine {
 public:
  explicit FakeContainerdEngine(const std::string& socket);
  ~FakeContainerdEngine();

  void SetFaults(const FakeContainerdFaults& faults);
  // Calls for images and content so far.
  int image_calls() const;

 private:
  class Services;
  std::unique_ptr<Services> services_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_ENRICH_FAKE_CONTAINERD_ENGINE_H_
