// Follows this host's containers without a daemon: one line for each that is created, changes or
// ends. Run it as root, with a directory for the pins if not the usual one:
//
//   follow_containers [/sys/fs/bpf/mine/v1]
//
// A container's line is printed before its first instruction where an engine creates and starts it
// in two steps, right after it where a person types `runc run`: this is where a tracer would
// attach.
#include <roster/collection.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace {

void Tell(const roster::PubSubEvent& event) {
  // A runtime has been asked to create one; not more than its id and bundle is known.
  if (event.type == roster::EventType::kPreCreate) return;
  const roster::Container& c = *event.container;
  std::printf("%s %s %s pid=%u mntns=%llu image=%s\n",
              std::string(roster::EventTypeName(event.type)).c_str(),
              c.runtime.runtime_name.c_str(), c.runtime.container_name.c_str(),
              c.runtime.container_pid, static_cast<unsigned long long>(c.mntns),
              c.runtime.container_image_name.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  // Before any thread is made, so that all of them leave the signals to sigwait.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  roster::HookOptions hook;
  if (argc > 1) hook.pin_dir = argv[1];
  hook.on_problem = [](std::string_view problem) {
    std::fprintf(stderr, "problem: %s\n", std::string(problem).c_str());
  };

  roster::ContainerCollection containers;
  const absl::Status status =
      containers.Initialize(roster::WithPubSub({Tell}), roster::WithContainerFanotifyEbpf(hook));
  if (!status.ok()) {
    std::fprintf(stderr, "follow_containers: %s\n", status.ToString().c_str());
    return 1;
  }
  std::printf("%zu containers run\n", containers.ContainerLen());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop, &signal);
  containers.Close();
}
