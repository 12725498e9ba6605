// A container whose runtime is held, as Roster holds it, waits for that runtime inside its engine:
// what can be learned of it then, and from whom.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engines/command.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "enrich/docker_state.h"
#include "enrich/enricher.h"
#include "enrich/podman_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/fd.h"
#include "runtime/oci_spec.h"
#include "unit/enrich/real_engines.h"

namespace roster::testing {
namespace {

using ::testing::HasSubstr;

// A runtime that waits at `create`, before it becomes the real one: what a held exec looks like to
// the engine above it.
class HeldRuntime {
 public:
  HeldRuntime(const Workspace& workspace, const std::string& real)
      : program_(workspace.Path("held-runtime")),
        at_(Fifo(workspace.Path("held-at"))),
        go_(Fifo(workspace.Path("held-go"))) {
    std::ofstream(program_) << "#!/bin/sh\n"
                            << "for word in \"$@\"; do id=$word; done\n"
                            << "case \" $* \" in *' create '*)\n"
                            << "  echo $id > " << workspace.Path("held-at") << "\n"
                            << "  read word < " << workspace.Path("held-go") << " ;;\n"
                            << "esac\n"
                            << "exec " << real << " \"$@\"\n";
    ::chmod(program_.c_str(), 0755);
  }

  const std::string& program() const { return program_; }

  // The id with which the runtime was called; "" where it was not.
  std::string WaitForId() const {
    const auto ready = WaitAny("the runtime", {at_.get()}, In(absl::Seconds(30)));
    EXPECT_TRUE(ready.ok()) << ready.status();
    if (!ready.ok()) return "";
    char id[256] = {};
    const ssize_t got = ::read(at_.get(), id, sizeof(id) - 1);
    EXPECT_GT(got, 1);
    return got > 1 ? std::string(id, static_cast<size_t>(got) - 1) : "";
  }
  void LetGo() const { EXPECT_EQ(::write(go_.get(), "go\n", 3), 3); }

 private:
  static int Fifo(const std::string& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0) << path;
    return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  }

  const std::string program_;
  const Fd at_;
  const Fd go_;
};

// While the runtime is held, as Roster holds it: the file has the name, and Get does not wait.
TEST_F(RealDocker, HeldRuntimeLeavesFileAndGetAnsweringButNotDetails) {
  const HeldRuntime held(*workspace_, "runc");
  ASSERT_TRUE(
      RunForOutput(
          {"sh", "-c",
           absl::StrCat("printf '{\"runtimes\":{\"held\":{\"path\":\"", held.program(), "\"}}}' > ",
                        workspace_->Path("docker/daemon.json"), " && kill -HUP $(cat ",
                        workspace_->Path("docker/dockerd.pid"), ")")})
          .ok());
  // The reload has no end that one could wait for but this.
  Ticker ticker(absl::Milliseconds(20));
  const absl::Status reloaded =
      WaitUntil("dockerd's reload", {ticker.fd()}, In(absl::Seconds(20)), [&] {
        ticker.Take();
        const auto runtimes = Cli("info --format '{{json .Runtimes}}'");
        return runtimes.ok() && absl::StrContains(*runtimes, "held");
      });
  ASSERT_TRUE(reloaded.ok()) << reloaded;
  auto running = Background(absl::StrCat("run -d --runtime held --network none --name early ",
                                         kImageName, " ", MarkerPath(4), " wait"));
  const std::string id = held.WaitForId();
  const auto state = ReadDockerState(workspace_->Path("docker/data/containers"), id);
  EXPECT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state.value_or(EngineContainer()).name, "early");
  EXPECT_EQ(state.value_or(EngineContainer()).image_name, kImageName);
  DockerClient docker(Options());
  const auto got = docker.Get(id);
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got.value_or(EngineContainer()).name, "early");
  DockerClient impatient({.socket = engine_->socket(), .timeout = absl::Milliseconds(500)});
  EXPECT_TRUE(absl::IsUnavailable(impatient.Details(id).status()));
  held.LetGo();
  const auto code = running.Wait(In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(docker.Details(id)->state, EngineState::kRunning);
}

TEST_F(RealContainerd, HeldRuntimeLeavesGetAnswering) {
  const HeldRuntime held(*workspace_, "runc");
  auto running = Background(absl::StrCat(
      "run --detach --fifo-dir ", workspace_->MakeDirectory("containerd/fifos"), " --runc-binary ",
      held.program(), " ", kImageName, " early ", MarkerPath(4), " wait"));
  EXPECT_EQ(held.WaitForId(), "early");
  ContainerdClient client(Options(), engine_->containerd_namespace());
  const auto got = client.Get("early");
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got.value_or(EngineContainer()).image_name, kImageName);
  EXPECT_THAT(got.value_or(EngineContainer()).image_digest, HasSubstr("sha256:"));
  held.LetGo();
  const auto code = running.Wait(In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
}

// Podman says nothing of a container while it waits for its runtime, but its files do.
TEST_F(RealPodman, HeldRuntimeLeavesTheFilesSayingTheName) {
  const HeldRuntime held(*workspace_, "crun");
  auto running = Background(absl::StrCat(
      "--runtime ", held.program(), " run -d --network none --cgroup-parent /",
      workspace_->unique_name(), " --name early ", kImageName, " ", MarkerPath(4), " wait"));
  const std::string id = held.WaitForId();
  Container container;
  container.runtime.container_id = id;
  container.bundle = Bundle(id);
  EXPECT_TRUE(FillFromEngineState(OciSpec(), container.bundle, &container));
  EXPECT_EQ(container.runtime.container_name, "early");
  EXPECT_EQ(container.runtime.container_image_name, kImageName);
  PodmanClient impatient({.socket = socket_, .timeout = absl::Milliseconds(500)});
  EXPECT_TRUE(absl::IsUnavailable(impatient.Get(id).status()));
  held.LetGo();
  const auto code = running.Wait(In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
}

}  // namespace
}  // namespace roster::testing
