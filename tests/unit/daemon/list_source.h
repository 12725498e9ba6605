// ListSource is a ContainerSource that a test fills by hand.
#ifndef ROSTER_TESTS_UNIT_DAEMON_LIST_SOURCE_H_
#define ROSTER_TESTS_UNIT_DAEMON_LIST_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "daemon/container_source.h"
#include "roster_abi.h"

namespace roster {

inline ContainerPtr MakeContainer(const std::string& id, const std::string& name) {
  auto container = std::make_shared<Container>();
  container->runtime.runtime_name = "docker";
  container->runtime.container_id = id;
  container->runtime.container_name = name;
  return container;
}

class ListSource : public ContainerSource {
 public:
  // Publishes to every subscriber, as the collection does: on the caller's thread.
  void Publish(EventType type, ContainerPtr container, ContainerPtr previous = nullptr) {
    std::vector<FuncNotify> callbacks;
    {
      absl::MutexLock lock(&mutex_);
      if (type == EventType::kCreated) containers_.push_back(container);
      if (type == EventType::kDeleted) std::erase(containers_, container);
      for (const auto& [key, callback] : subscribers_) callbacks.push_back(callback);
    }
    for (const FuncNotify& callback : callbacks) {
      callback(
          {.type = type, .container = container, .previous = previous, .timestamp = absl::Now()});
    }
  }
  size_t subscribers() {
    absl::MutexLock lock(&mutex_);
    return subscribers_.size();
  }
  void WaitForNoSubscribers() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](decltype(subscribers_)* s) { return s->empty(); }, &subscribers_));
  }

  absl::StatusOr<std::vector<ContainerPtr>> List(const ContainerSelector& selector) override {
    const auto compiled = CompiledSelector::Compile(selector);
    if (!compiled.ok()) return compiled.status();
    absl::MutexLock lock(&mutex_);
    std::vector<ContainerPtr> matching;
    for (const ContainerPtr& container : containers_) {
      if (compiled->Matches(*container)) matching.push_back(container);
    }
    return matching;
  }
  absl::StatusOr<ContainerPtr> GetByIdPrefix(std::string_view prefix) override {
    absl::MutexLock lock(&mutex_);
    ContainerPtr found;
    for (const ContainerPtr& container : containers_) {
      if (!container->runtime.container_id.starts_with(prefix)) continue;
      if (found != nullptr) return absl::FailedPreconditionError("ambiguous");
      found = container;
    }
    if (found == nullptr)
      return absl::NotFoundError(absl::StrCat("no container ", std::string(prefix)));
    return found;
  }
  absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                      const ContainerSelector& selector,
                                                      FuncNotify callback) override {
    auto existing = List(selector);
    if (existing.ok()) {
      absl::MutexLock lock(&mutex_);
      subscribers_[std::string(key)] = std::move(callback);
    }
    return existing;
  }
  void Unsubscribe(std::string_view key) override {
    absl::MutexLock lock(&mutex_);
    subscribers_.erase(std::string(key));
  }
  size_t Count() override {
    absl::MutexLock lock(&mutex_);
    return containers_.size();
  }
  std::optional<PinFacts> Facts(uint64_t handle) override {
    if (handle == 0) return std::nullopt;
    return PinFacts{.state = ROSTER_BOUND, .flags = 0, .created_at_ns = 5, .started_at_ns = 7};
  }

 private:
  absl::Mutex mutex_;
  std::vector<ContainerPtr> containers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, FuncNotify> subscribers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_DAEMON_LIST_SOURCE_H_
