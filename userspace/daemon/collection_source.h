// CollectionSource serves the containers of a ContainerCollection, with what the pins know of them.
#ifndef ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_
#define ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_

#include <optional>

#include "daemon/container_source.h"
#include "daemon/pin_facts.h"
#include "roster/collection.h"

namespace roster {

class CollectionSource : public ContainerSource {
 public:
  // `collection` must outlive this. Without `facts` there are none.
  CollectionSource(ContainerCollection* collection, std::optional<PinFactsReader> facts);

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
  const std::optional<PinFactsReader> facts_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_COLLECTION_SOURCE_H_
