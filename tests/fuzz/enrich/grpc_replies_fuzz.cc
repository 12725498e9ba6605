// Any bytes as the messages with which containerd and CRI engines answer.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "containerd.pb.h"
#include "containerd_tasks.pb.h"
#include "cri.pb.h"
#include "enrich/containerd_wire.h"
#include "enrich/cri_info.h"
#include "enrich/cri_wire.h"
#include "enrich/engine_client.h"

namespace {

namespace containers_v1 = containerd::services::containers::v1;
namespace tasks_v1 = containerd::services::tasks::v1;
namespace cri = ::runtime::v1;

// A container that was read can be merged, and a second time nothing is left to give.
void Use(const std::string& engine, const roster::EngineContainer& container) {
  if (container.pid > 4194304 || container.started_at < 0) abort();
  if (container.id.empty()) return;  // which the clients leave out
  roster::Container merged;
  roster::MergeEngineContainer(engine, container, &merged);
  const roster::Container before = merged;
  if (roster::MergeEngineContainer(engine, container, &merged) || !(merged == before)) abort();
}

void Containerds(const std::string& bytes) {
  containers_v1::ListContainersResponse containers;
  tasks_v1::ListTasksResponse tasks;
  const bool some = containers.ParseFromString(bytes);
  const bool running = tasks.ParseFromString(bytes);
  if (!some) containers.Clear();
  if (!running) tasks.Clear();
  for (const containers_v1::Container& wire : containers.containers()) {
    roster::EngineContainer container = roster::FromContainerd(wire);
    Use("containerd", container);
    for (const tasks_v1::Process& process : tasks.tasks()) {
      roster::AddContainerdProcess(process, &container);
      Use("containerd", container);
    }
  }
  for (const tasks_v1::Process& process : tasks.tasks()) {
    roster::EngineContainer container;
    container.id = "a";
    roster::AddContainerdProcess(process, &container);
    Use("containerd", container);
  }
}

void Cris(const std::string& engine, const std::string& bytes) {
  cri::ListContainersResponse containers;
  if (containers.ParseFromString(bytes)) {
    for (const cri::Container& wire : containers.containers()) {
      Use(engine, roster::FromCri(wire, engine));
    }
  }
  cri::ListPodSandboxResponse sandboxes;
  if (sandboxes.ParseFromString(bytes)) {
    for (const cri::PodSandbox& wire : sandboxes.items()) {
      const roster::EngineContainer sandbox = roster::FromCriSandbox(wire);
      if (!sandbox.is_sandbox) abort();
      Use(engine, sandbox);
    }
  }
  cri::ContainerStatusResponse status;
  if (status.ParseFromString(bytes)) {
    roster::EngineContainer container = roster::FromCri(status.status(), engine);
    (void)roster::FillFromCriInfo({status.info().begin(), status.info().end()}, &container);
    Use(engine, container);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Containerds(bytes);
  Cris("cri-o", bytes);
  Cris("containerd", bytes);
  return 0;
}
