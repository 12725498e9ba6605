// KernelEvents reads what the kernel hook tells userspace.
#ifndef ROSTER_USERSPACE_TRACKER_KERNEL_EVENTS_H_
#define ROSTER_USERSPACE_TRACKER_KERNEL_EVENTS_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "lineage_abi.h"

struct ring_buffer;

namespace roster {

// Thread-compatible.
class KernelEvents {
 public:
  using Handler = std::function<void(const roster_event&)>;

  // `ring_fd` is roster_events and stays the caller's. What was written while nobody read comes
  // first.
  static absl::StatusOr<std::unique_ptr<KernelEvents>> Open(int ring_fd, Handler handler);
  ~KernelEvents();
  KernelEvents(const KernelEvents&) = delete;
  KernelEvents& operator=(const KernelEvents&) = delete;

  // Readable when there are events; then call Dispatch, which does not block.
  int fd() const;
  void Dispatch();

 private:
  explicit KernelEvents(Handler handler) : handler_(std::move(handler)) {}
  static int OnSample(void* self, void* data, size_t size);
  Handler handler_;
  struct ring_buffer* ring_ = nullptr;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_KERNEL_EVENTS_H_
