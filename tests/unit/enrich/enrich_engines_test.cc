// What the clients and the files say of real containers, against what each engine's own command
// line says.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "engines/command.h"
#include "engines/containerd_engine.h"
#include "engines/docker_engine.h"
#include "engines/image.h"
#include "engines/podman_engine.h"
#include "engines/service.h"
#include "engines/wait.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "enrich/docker_state.h"
#include "enrich/enricher.h"
#include "enrich/podman_client.h"
#include "enrich/podman_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/bundle.h"
#include "runtime/oci_spec.h"

namespace roster {
namespace {

using nlohmann::json;
using ::roster::testing::ContainerdEngine;
using ::roster::testing::DockerEngine;
using ::roster::testing::Engine;
using ::roster::testing::kImageName;
using ::roster::testing::MarkerPath;
using ::roster::testing::PodmanEngine;
using ::roster::testing::RunForOutput;
using ::roster::testing::Workspace;
using ::testing::Contains;
using ::testing::HasSubstr;

size_t CountEntries(const char* directory) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

LateResult Enriched(LateEnricher* late, Container container) {
  absl::Notification done;
  LateResult result;
  const absl::Status queued = late->Enqueue(std::move(container), [&](LateResult r) {
    result = std::move(r);
    done.Notify();
  });
  EXPECT_TRUE(queued.ok()) << queued;
  if (queued.ok()) done.WaitForNotification();
  return result;
}

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
    const auto ready = ::roster::testing::WaitAny("the runtime", {at_.get()},
                                                  ::roster::testing::In(absl::Seconds(30)));
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

template <typename T>
class RealEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto workspace = Workspace::Create();
    ASSERT_TRUE(workspace.ok()) << workspace.status();
    workspace_ = *std::move(workspace);
    engine_ = std::make_unique<T>(*workspace_);
    const absl::Status started = engine_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  void TearDown() override {
    if (engine_ == nullptr) return;
    const absl::Status stopped = engine_->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
  }

  std::string Run(const std::string& name, int marker = 1) {
    const auto id = engine_->Run({name, {MarkerPath(marker), "wait"}});
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  pid_t Pid(const std::string& name) { return engine_->Pid(name).value_or(0); }

  // The engine's own command line, in the environment that the harness gives it.
  absl::StatusOr<std::string> Cli(const std::string& arguments) {
    return RunForOutput({"sh", "-c", absl::StrCat(engine_->CommandPrefix(), " ", arguments)});
  }
  ::roster::testing::Process Background(const std::string& arguments) {
    auto started = ::roster::testing::Process::Spawn(
        {"sh", "-c", absl::StrCat("exec ", engine_->CommandPrefix(), " ", arguments)},
        {.environment = workspace_->environment()});
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : ::roster::testing::Process();
  }
  json CliJson(const std::string& arguments) {
    const auto text = Cli(arguments);
    EXPECT_TRUE(text.ok()) << text.status();
    return json::parse(text.value_or(""), nullptr, false);
  }

  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<T> engine_;
};

// Docker.

class RealDocker : public RealEngine<DockerEngine> {
 protected:
  // What the command line says, in the client's terms.
  EngineContainer Truth(const std::string& name) {
    const json inspected = CliJson("inspect " + name).at(0);
    EngineContainer truth;
    truth.id = inspected.at("Id");
    truth.name = std::string(inspected.at("Name")).substr(1);
    truth.image_name = inspected.at("Config").at("Image");
    truth.image_id = inspected.at("Image");
    truth.pid = inspected.at("State").at("Pid");
    truth.labels = inspected.at("Config").at("Labels");
    return truth;
  }
  EngineClientOptions Options() const {
    return {.socket = engine_->socket(), .timeout = absl::Seconds(20)};
  }
};

TEST_F(RealDocker, ClientSaysWhatTheCommandLineSays) {
  const std::string id = Run("web");
  ASSERT_TRUE(
      Cli(absl::StrCat("run -d --network none --label team=blue -v /usr:/data:ro --name two ",
                       kImageName, " ", MarkerPath(2), " wait"))
          .ok());
  ASSERT_TRUE(Cli("pause two").ok());
  ASSERT_TRUE(engine_->Create({"made", {MarkerPath(3), "wait"}}).ok());
  DockerClient docker(Options());
  const auto list = docker.List();
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->size(), 3u);
  for (const EngineContainer& container : *list) {
    const EngineContainer truth = Truth(container.name);
    EXPECT_EQ(container.id, truth.id);
    EXPECT_EQ(container.image_name, truth.image_name);
    EXPECT_EQ(container.image_id, truth.image_id);
    EXPECT_EQ(container.labels, truth.labels);
    const auto got = docker.Get(container.id);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(*got, container);
    const auto details = docker.Details(container.id);
    ASSERT_TRUE(details.ok()) << details.status();
    EXPECT_EQ(details->pid, truth.pid);
    EXPECT_EQ(details->name, container.name);
    EXPECT_EQ(details->state, container.state);
    const EngineState expected = container.name == "web"   ? EngineState::kRunning
                                 : container.name == "two" ? EngineState::kPaused
                                                           : EngineState::kCreated;
    EXPECT_EQ(container.state, expected) << container.name;
    if (container.name == "two") {
      EXPECT_THAT(details->mounts, Contains(::testing::Pair("/usr", "/data")));
    }
    if (container.name == "web") {
      EXPECT_GT(details->started_at, absl::ToUnixNanos(absl::Now() - absl::Minutes(10)));
      EXPECT_THAT(details->cgroup_path, HasSubstr(id));
    }
  }
  EXPECT_TRUE(absl::IsNotFound(docker.Get(std::string(64, 'a')).status()));
  EXPECT_TRUE(absl::IsNotFound(docker.Details("web").status()));
  EXPECT_TRUE(Cli("unpause two").ok());
}

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
  ::roster::testing::Ticker ticker(absl::Milliseconds(20));
  const absl::Status reloaded = ::roster::testing::WaitUntil(
      "dockerd's reload", {ticker.fd()}, ::roster::testing::In(absl::Seconds(20)), [&] {
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
  const auto code = running.Wait(::roster::testing::In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(docker.Details(id)->state, EngineState::kRunning);
}

TEST_F(RealDocker, BundleAndFileTogetherNameTheContainerInUnderAMillisecond) {
  const std::string id = Run("web");
  const auto spec_text =
      RunForOutput({"sh", "-c",
                    absl::StrCat("cat ", workspace_->Path("docker/exec"),
                                 "/containerd/daemon/*/moby/", id, "/config.json")});
  ASSERT_TRUE(spec_text.ok()) << spec_text.status();
  const auto spec = ParseOciSpec(*spec_text);
  ASSERT_TRUE(spec.ok()) << spec.status();
  Container container;
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < 50; ++i) {
    container = Container();
    container.runtime.container_id = id;
    const absl::Time start = absl::Now();
    ASSERT_TRUE(FillFromEngineState(*spec, "", &container));
    best = std::min(best, absl::Now() - start);
  }
  EXPECT_EQ(container.runtime.runtime_name, "docker");
  EXPECT_EQ(container.runtime.container_name, "web");
  EXPECT_EQ(container.runtime.container_image_name, kImageName);
  EXPECT_EQ(container.runtime.container_image_id, Truth("web").image_id);
  EXPECT_LT(best, absl::Milliseconds(1));
  RecordProperty("stage1_ns", absl::ToInt64Nanoseconds(best));
  absl::FPrintF(stderr, "stage 1 with docker: %s\n", absl::FormatDuration(best));
}

TEST_F(RealDocker, LateStageFindsTheDaemonFromTheInitAlone) {
  const std::string id = Run("web");
  LateEnricher late({.timeout = absl::Seconds(20)});  // no socket is given
  Container container;
  container.runtime.container_id = id;
  container.runtime.container_pid = Pid("web");
  const LateResult result = Enriched(&late, container);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.runtime_name, "docker");
  EXPECT_EQ(result.container.runtime.container_name, "web");
  EXPECT_EQ(result.container.runtime.container_image_name, kImageName);
}

TEST_F(RealDocker, RestartInTheMiddleLeavesNothingBehind) {
  const std::string id = Run("web");
  const size_t fds = CountEntries("/proc/self/fd");
  const size_t threads = CountEntries("/proc/self/task");
  {
    DockerClient docker(Options());
    EXPECT_TRUE(docker.Get(id).ok());
    ASSERT_TRUE(engine_->Stop().ok());
    EXPECT_TRUE(absl::IsUnavailable(docker.Get(id).status()));
    ASSERT_TRUE(engine_->Start().ok());
    const std::string again = Run("again");
    EXPECT_EQ(docker.Get(again)->name, "again");
  }
  EXPECT_EQ(CountEntries("/proc/self/fd"), fds);
  EXPECT_EQ(CountEntries("/proc/self/task"), threads);
}

// containerd.

class RealContainerd : public RealEngine<ContainerdEngine> {
 protected:
  EngineClientOptions Options() const {
    return {.socket = engine_->socket(), .timeout = absl::Seconds(20)};
  }
};

TEST_F(RealContainerd, ClientSaysWhatTheCommandLineSays) {
  const std::string id = Run("web");
  ASSERT_TRUE(engine_->Create({"made", {MarkerPath(3), "wait"}}).ok());
  const json info = CliJson("containers info web");
  const auto images = Cli("images list");
  ASSERT_TRUE(images.ok()) << images.status();
  for (const std::string& in_namespace : {engine_->containerd_namespace(), std::string()}) {
    ContainerdClient client(Options(), in_namespace);
    const auto got = client.Get("web");
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->id, info.at("ID"));
    EXPECT_EQ(got->name, "web");
    EXPECT_EQ(got->image_name, info.at("Image"));
    EXPECT_EQ(got->snapshot, info.at("SnapshotKey"));
    EXPECT_EQ(got->oci_runtime, info.at("Runtime").at("Name"));
    EXPECT_EQ(got->labels, info.at("Labels").get<decltype(got->labels)>());
    EXPECT_EQ(got->pid, 0u);  // the task was not asked for
    EXPECT_THAT(*images, HasSubstr(got->image_digest));
    EXPECT_THAT(got->image_digest, HasSubstr("sha256:"));
    // The id of the image is that of the configuration in the archive, as docker shows it.
    EXPECT_THAT(got->image_id, HasSubstr("sha256:"));
    EXPECT_NE(got->image_id, got->image_digest);
    const auto content = Cli(absl::StrCat("content get ", got->image_digest));
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_THAT(*content, HasSubstr(got->image_id));
    const auto details = client.Details("web");
    ASSERT_TRUE(details.ok()) << details.status();
    EXPECT_EQ(details->pid, static_cast<uint32_t>(Pid("web")));
    EXPECT_EQ(details->state, EngineState::kRunning);
    EXPECT_EQ(details->cgroup_path, info.at("Spec").at("linux").at("cgroupsPath"));
    EXPECT_EQ(details->mounts.size(), info.at("Spec").at("mounts").size());
    EXPECT_EQ(client.Details("made")->state, EngineState::kCreated);
    EXPECT_TRUE(absl::IsNotFound(client.Get("we").status()));
    EXPECT_TRUE(absl::IsNotFound(client.Get("no such/thing").status()));
    const auto list = client.List();
    ASSERT_TRUE(list.ok()) << list.status();
    std::map<std::string, EngineState> states;
    for (const EngineContainer& container : *list) states[container.name] = container.state;
    EXPECT_THAT(states, ::testing::ElementsAre(::testing::Pair("made", EngineState::kCreated),
                                               ::testing::Pair("web", EngineState::kRunning)));
  }
  EXPECT_TRUE(absl::IsNotFound(ContainerdClient(Options(), "empty").Get("web").status()));
  ASSERT_TRUE(Cli("tasks pause web").ok());
  EXPECT_EQ(ContainerdClient(Options()).Details("web")->state, EngineState::kPaused);
  EXPECT_TRUE(Cli("tasks resume web").ok());
  ASSERT_TRUE(engine_->Kill("web", SIGKILL).ok());
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
  const auto code = running.Wait(::roster::testing::In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
}

TEST_F(RealContainerd, LateStageFindsTheSocketFromTheShim) {
  Run("web");
  LateEnricher late({.timeout = absl::Seconds(20)});  // no socket is given
  Container container;
  container.runtime.container_id = "web";
  container.runtime.container_pid = Pid("web");
  const LateResult result = Enriched(&late, container);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.runtime_name, "containerd");
  EXPECT_EQ(result.container.runtime.container_image_name, kImageName);
  EXPECT_THAT(result.container.runtime.container_image_digest, HasSubstr("sha256:"));
}

TEST_F(RealContainerd, RestartInTheMiddle) {
  Run("web");
  ContainerdClient client(Options(), engine_->containerd_namespace());
  EXPECT_TRUE(client.Get("web").ok());
  ASSERT_TRUE(engine_->Stop().ok());
  EXPECT_TRUE(absl::IsUnavailable(client.Get("web").status()));
  ASSERT_TRUE(engine_->Start().ok());
  Run("again");
  const auto again = client.Get("again");
  EXPECT_TRUE(again.ok()) << again.status();
}

// Podman, on overlay as the harness has it.

class RealPodman : public RealEngine<PodmanEngine> {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    socket_ = workspace_->Path("podman.sock");
    auto service = ::roster::testing::Process::Spawn(
        {"sh", "-c",
         absl::StrCat("exec ", engine_->CommandPrefix(), " system service --time 0 unix://",
                      socket_)},
        {.environment = workspace_->environment()});
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
    const absl::Status up = ::roster::testing::WaitForSocket(
        socket_, service_.pidfd(), ::roster::testing::In(absl::Seconds(30)));
    ASSERT_TRUE(up.ok()) << up;
  }
  EngineClientOptions Options() const { return {.socket = socket_, .timeout = absl::Seconds(20)}; }
  std::string Bundle(const std::string& id) {
    return workspace_->Path(absl::StrCat("podman/root/overlay-containers/", id, "/userdata"));
  }

  std::string socket_;
  ::roster::testing::Process service_;
};

TEST_F(RealPodman, ClientAndFilesSayWhatTheCommandLineSays) {
  const std::string id = Run("web");
  const json truth = CliJson("inspect web").at(0);
  PodmanClient podman(Options());
  const auto got = podman.Get(id);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->id, truth.at("Id"));
  EXPECT_EQ(got->name, truth.at("Name"));
  EXPECT_EQ(got->image_name, truth.at("ImageName"));
  EXPECT_EQ(got->image_id, truth.at("Image"));
  EXPECT_EQ(got->image_digest, truth.at("ImageDigest"));
  EXPECT_EQ(got->pid, truth.at("State").at("Pid"));
  EXPECT_EQ(got->state, EngineState::kRunning);
  EXPECT_EQ(got->labels, truth.at("Config").at("Labels").get<decltype(got->labels)>());
  const auto details = podman.Details(id);
  ASSERT_TRUE(details.ok()) << details.status();
  EXPECT_EQ(details->cgroup_path, truth.at("State").at("CgroupPath"));
  EXPECT_EQ(details->pid, got->pid);
  EXPECT_TRUE(absl::IsNotFound(podman.Get("web").status()));
  EXPECT_TRUE(absl::IsNotFound(podman.Details("web").status()));

  Container container;
  container.runtime.container_id = id;
  container.bundle = Bundle(id);
  const absl::Time start = absl::Now();
  ASSERT_TRUE(FillFromEngineState(OciSpec(), container.bundle, &container));
  absl::FPrintF(stderr, "stage 1 with podman: %s\n", absl::FormatDuration(absl::Now() - start));
  EXPECT_EQ(container.runtime.runtime_name, "podman");
  EXPECT_EQ(container.runtime.container_name, "web");
  EXPECT_EQ(container.runtime.container_image_name, truth.at("ImageName"));
  EXPECT_EQ(container.runtime.container_image_id, truth.at("Image"));

  LateEnricher late({});  // without its service
  const LateResult result = Enriched(&late, container);
  EXPECT_EQ(result.container.runtime.container_image_digest, truth.at("ImageDigest"));
}

TEST_F(RealPodman, PausedAndCreatedAndRemovedAtExit) {
  Run("web");
  ASSERT_TRUE(engine_->Create({"made", {MarkerPath(3), "wait"}}).ok());
  ASSERT_TRUE(Cli("pause web").ok());
  PodmanClient podman(Options());
  const auto list = podman.List();
  ASSERT_TRUE(list.ok()) << list.status();
  std::map<std::string, EngineState> states;
  for (const EngineContainer& container : *list) states[container.name] = container.state;
  EXPECT_THAT(states, ::testing::ElementsAre(::testing::Pair("made", EngineState::kCreated),
                                             ::testing::Pair("web", EngineState::kPaused)));
  EXPECT_TRUE(Cli("unpause web").ok());
  const auto id =
      Cli(absl::StrCat("run -d --rm --network none --cgroup-parent /", workspace_->unique_name(),
                       " --name brief ", kImageName, " ", MarkerPath(5), " wait"));
  ASSERT_TRUE(id.ok()) << id.status();
  const auto state = ReadPodmanState(ParsePodmanBundle(Bundle(*id)));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->name, "brief");
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
  const auto code = running.Wait(::roster::testing::In(absl::Seconds(30)));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
}

TEST_F(RealPodman, VfsStoreIsReadLikeOverlay) {
  const auto image = ::roster::testing::MakeImage(*workspace_);
  ASSERT_TRUE(image.ok()) << image.status();
  const std::string store = workspace_->Path("podman/vfs");
  const std::string options = absl::StrCat("--root ", store, " --storage-driver vfs ");
  const auto loaded = Cli(absl::StrCat(options, "load --quiet --input ", image->archive));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto id = Cli(absl::StrCat(options, "run -d --network none --cgroup-parent /",
                                   workspace_->unique_name(), " --name flat ", kImageName, " ",
                                   MarkerPath(6), " wait"));
  ASSERT_TRUE(id.ok()) << id.status();
  const auto state =
      ReadPodmanState(ParsePodmanBundle(absl::StrCat(store, "/vfs-containers/", *id, "/userdata")));
  EXPECT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state.value_or(EngineContainer()).name, "flat");
  EXPECT_EQ(state.value_or(EngineContainer()).image_name, kImageName);
  EXPECT_TRUE(Cli(absl::StrCat(options, "rm --force --time 0 flat")).ok());
}

}  // namespace
}  // namespace roster
