// The engines that are asked, each a fixture of its name: the engine is up, with its own command
// line at hand.
#ifndef ROSTER_TESTS_UNIT_ENRICH_REAL_ENGINES_H_
#define ROSTER_TESTS_UNIT_ENRICH_REAL_ENGINES_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/command.h"
#include "engines/containerd_engine.h"
#include "engines/docker_engine.h"
#include "engines/image.h"
#include "engines/podman_engine.h"
#include "engines/service.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "enrich/engine_client.h"
#include "gtest/gtest.h"

namespace roster::testing {

// As the command lines write them, in nanoseconds since the epoch; 0 for what is no time.
inline int64_t NanosecondsOf(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return absl::ToUnixNanos(time);
}

template <typename T>
class RealEngine : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
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
  Process Background(const std::string& arguments) {
    auto started = Process::Spawn(
        {"sh", "-c", absl::StrCat("exec ", engine_->CommandPrefix(), " ", arguments)},
        {.environment = workspace_->environment()});
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : Process();
  }
  nlohmann::json CliJson(const std::string& arguments) {
    const auto text = Cli(arguments);
    EXPECT_TRUE(text.ok()) << text.status();
    return nlohmann::json::parse(text.value_or(""), nullptr, false);
  }

  std::unique_ptr<T> engine_;
};

class RealDocker : public RealEngine<DockerEngine> {
 protected:
  // What the command line says, in the client's terms.
  EngineContainer Truth(const std::string& name) {
    const nlohmann::json inspected = CliJson("inspect " + name).at(0);
    EngineContainer truth;
    truth.id = inspected.at("Id");
    truth.name = std::string(inspected.at("Name")).substr(1);
    truth.image_name = inspected.at("Config").at("Image");
    truth.image_id = inspected.at("Image");
    truth.pid = inspected.at("State").at("Pid");
    if (truth.pid != 0) truth.started_at = NanosecondsOf(inspected.at("State").at("StartedAt"));
    truth.labels = inspected.at("Config").at("Labels");
    // The parent is the daemon's, unless the container has one of its own.
    const std::string parent = inspected.at("HostConfig").at("CgroupParent");
    truth.cgroup_path = absl::StrCat(
        parent.empty() ? absl::StrCat("/", workspace_->unique_name()) : parent, "/", truth.id);
    const nlohmann::json digests =
        CliJson(absl::StrCat("image inspect ", truth.image_id)).at(0).at("RepoDigests");
    if (!digests.empty()) {
      const std::string first = digests.at(0);
      truth.image_digest = first.substr(first.find('@') + 1);
    }
    return truth;
  }
  EngineClientOptions Options() const {
    return {.socket = engine_->socket(), .timeout = absl::Seconds(20)};
  }
};

class RealContainerd : public RealEngine<ContainerdEngine> {
 protected:
  EngineClientOptions Options() const {
    return {.socket = engine_->socket(), .timeout = absl::Seconds(20)};
  }
};

// On overlay, as the harness has it, with its service.
class RealPodman : public RealEngine<PodmanEngine> {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    socket_ = workspace_->Path("podman.sock");
    StartService();
  }
  void StartService() {
    auto service = Process::Spawn({"sh", "-c",
                                   absl::StrCat("exec ", engine_->CommandPrefix(),
                                                " system service --time 0 unix://", socket_)},
                                  {.environment = workspace_->environment()});
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
    const absl::Status up = WaitForSocket(socket_, service_.pidfd(), In(absl::Seconds(30)));
    ASSERT_TRUE(up.ok()) << up;
  }
  EngineClientOptions Options() const { return {.socket = socket_, .timeout = absl::Seconds(20)}; }
  std::string Bundle(const std::string& id) {
    return workspace_->Path(absl::StrCat("podman/root/overlay-containers/", id, "/userdata"));
  }

  std::string socket_;
  Process service_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_UNIT_ENRICH_REAL_ENGINES_H_
