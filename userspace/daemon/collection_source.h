// CollectionSource serves the containers of a ContainerCollection, with what the pins know of them.
#ifndef ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_
#define ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "daemon/container_source.h"
#include "roster/collection.h"
#include "roster/reader.h"

namespace roster {

class CollectionSource : public ContainerSource {
 public:
  // `collection` must outlive this. Without a reader there are no facts.
  CollectionSource(ContainerCollection* collection, std::optional<Reader> reader);

  absl::StatusOr<std::vector<ContainerPtr>> List(const ContainerSelector& selector) override;
  absl::StatusOr<ContainerPtr> GetByIdPrefix(std::string_view prefix) override;
  absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                      const ContainerSelector& selector,
                                                      FuncNotify callback) override;
  void Unsubscribe(std::string_view key) override;
  size_t Count() override;
  std::optional<PinFacts> Facts(uint64_t handle) override;

 private:
  ContainerCollection& collection_;
  absl::Mutex mutex_;
  std::optional<Reader> reader_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_
