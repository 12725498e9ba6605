// LibbpfLog keeps the end of what libbpf says, the verifier's verdict included, for error messages.
#ifndef ROSTER_USERSPACE_KERNEL_LIBBPF_LOG_H_
#define ROSTER_USERSPACE_KERNEL_LIBBPF_LOG_H_

#include <bpf/libbpf.h>

#include <string>

namespace roster {

// While one lives, libbpf's warnings of the whole process go into it instead of to standard error.
// One at a time: libbpf has one print function for the process.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // What was said since the last call: at most the last 4 KiB, from a line's beginning on. A
  // verifier's log comes as one text of megabytes, whose verdict is at its end.
  static std::string Take();

 private:
  libbpf_print_fn_t previous_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_LIBBPF_LOG_H_
