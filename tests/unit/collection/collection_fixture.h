// CollectionTest is what the tests of a collection have in common: the collection, containers to
// put into it, and a subscriber that writes down.
#ifndef ROSTER_TESTS_UNIT_COLLECTION_COLLECTION_FIXTURE_H_
#define ROSTER_TESTS_UNIT_COLLECTION_COLLECTION_FIXTURE_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {

inline Container Make(std::string id, std::string namespace_name, std::string pod, std::string name,
                      uint64_t mntns, uint64_t netns, uint32_t pid = 0) {
  Container c;
  c.runtime.container_id = std::move(id);
  c.runtime.container_pid = pid;
  c.k8s.namespace_name = std::move(namespace_name);
  c.k8s.pod_name = std::move(pod);
  c.k8s.container_name = std::move(name);
  c.mntns = mntns;
  c.netns = netns;
  return c;
}

inline std::vector<std::string> Ids(const std::vector<ContainerPtr>& containers) {
  std::vector<std::string> ids;
  for (const ContainerPtr& c : containers) ids.push_back(c->runtime.container_id);
  return ids;
}

// Writes down what it is told, as "CREATED a".
class Recorder {
 public:
  FuncNotify Callback() {
    return [this](const PubSubEvent& event) {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(absl::StrCat(std::string(EventTypeName(event.type)), " ",
                                     event.container->runtime.container_id));
    };
  }
  std::vector<std::string> Events() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

class CollectionTest : public ::testing::Test {
 protected:
  void Add(Container c) { ASSERT_TRUE(collection_.AddContainer(std::move(c)).ok()); }

  ContainerCollection collection_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_COLLECTION_COLLECTION_FIXTURE_H_
