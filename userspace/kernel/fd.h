// Fd owns one file descriptor.
#ifndef ROSTER_USERSPACE_KERNEL_FD_H_
#define ROSTER_USERSPACE_KERNEL_FD_H_

#include <unistd.h>

#include <utility>

namespace roster {

// Move-only; closes at destruction. An empty Fd holds -1. Not thread-safe.
class Fd {
 public:
  Fd() = default;
  // Takes ownership of `fd`; any negative number makes an empty Fd.
  explicit Fd(int fd) : fd_(fd < 0 ? -1 : fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Reset(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Gives up ownership and returns the number.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  // Closes what is held and takes `fd`.
  void Reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd < 0 ? -1 : fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_FD_H_
