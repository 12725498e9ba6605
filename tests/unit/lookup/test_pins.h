// TestPins is a set of empty maps of the ABI, pinned in a BPF file system of its own, for tests.
#ifndef ROSTER_TESTS_UNIT_LOOKUP_TEST_PINS_H_
#define ROSTER_TESTS_UNIT_LOOKUP_TEST_PINS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "kernel/fd.h"
#include "roster_abi.h"

namespace roster {

// What this machine lacks for these tests ("" if nothing): they are skipped with it.
std::string WhyNoTestPins();

class TestPins {
 public:
  // Mounts a bpffs on a new temporary directory, makes and pins every map of the ABI, fills in
  // roster_abi.
  static absl::StatusOr<std::unique_ptr<TestPins>> Make();
  ~TestPins();  // unmounts and removes

  const std::string& dir() const { return dir_; }
  int fd(const std::string& name) const { return fds_.at(name).get(); }
  roster_abi* abi() { return abi_; }
  roster_membership* slot(uint32_t number) { return slots_ + number; }

  // Fills slot, record and identities (0: none) in the order of the contract and counts the change.
  uint64_t Add(uint32_t slot, uint32_t epoch, uint64_t mntns, uint64_t netns, uint64_t cgroup,
               const std::string& name);
  // Frees the slot as the contract says; identities stay where `keep_identities` plays a late
  // clean-up.
  void Remove(uint64_t handle, bool keep_identities);
  void CountChange() { __atomic_fetch_add(&abi_->changes, 1, __ATOMIC_RELEASE); }
  // Replaces a pin by a map of another shape.
  absl::Status Replace(const std::string& name, uint32_t type, uint32_t key, uint32_t value,
                       uint32_t entries);

 private:
  TestPins() = default;
  absl::Status MakeMap(const std::string& name, uint32_t type, uint32_t key, uint32_t value,
                       uint32_t entries, uint32_t flags);

  std::string mount_;
  std::string dir_;  // two levels below, as on a real host
  std::map<std::string, Fd> fds_;
  roster_abi* abi_ = nullptr;
  roster_membership* slots_ = nullptr;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_LOOKUP_TEST_PINS_H_
