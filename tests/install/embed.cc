// A stranger's program that embeds the library: one collection, one container, one look-up.
#include <roster/collection.h>

#include <cstdio>

int main() {
  roster::Container container;
  container.runtime.container_id = "c1";
  container.mntns = 4026532000;

  roster::ContainerCollection collection;
  absl::Status status = collection.Initialize(roster::WithInitialContainers({container}));
  if (!status.ok()) {
    std::fprintf(stderr, "embed: %s\n", status.ToString().c_str());
    return 1;
  }
  roster::ContainerPtr found = collection.LookupContainerByMntns(4026532000);
  return found != nullptr && found->runtime.container_id == "c1" ? 0 : 1;
}
