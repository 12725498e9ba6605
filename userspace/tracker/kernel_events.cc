#include "tracker/kernel_events.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

#include "kernel/errors.h"

namespace roster {

absl::StatusOr<std::unique_ptr<KernelEvents>> KernelEvents::Open(int ring_fd, Handler handler) {
  std::unique_ptr<KernelEvents> events(new KernelEvents(std::move(handler)));
  events->ring_ = ring_buffer__new(ring_fd, &KernelEvents::OnSample, events.get(), nullptr);
  if (events->ring_ == nullptr) return ErrnoStatus("open ring buffer", "roster_events", errno);
  return events;
}

KernelEvents::~KernelEvents() { ring_buffer__free(ring_); }

int KernelEvents::fd() const { return ring_buffer__epoll_fd(ring_); }

void KernelEvents::Dispatch() { ring_buffer__consume(ring_); }

int KernelEvents::OnSample(void* self, void* data, size_t size) {
  roster_event event;
  if (size < sizeof(event)) return 0;
  std::memcpy(&event, data, sizeof(event));
  static_cast<KernelEvents*>(self)->handler_(event);
  return 0;
}

}  // namespace roster
