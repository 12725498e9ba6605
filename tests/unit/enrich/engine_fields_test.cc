// What the clients and the files say of real containers, against what each engine's own command
// line says.
#include <signal.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "engines/image.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "enrich/enricher.h"
#include "enrich/podman_client.h"
#include "enrich/podman_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/bundle.h"
#include "runtime/oci_spec.h"
#include "unit/enrich/late_result.h"
#include "unit/enrich/real_engines.h"

namespace roster::testing {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(RealDocker, ClientSaysWhatTheCommandLineSays) {
  Run("web");
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
    EXPECT_EQ(container.image_digest, truth.image_digest);
    EXPECT_EQ(container.labels, truth.labels);
    const auto got = docker.Get(container.id);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(*got, container);
    const auto details = docker.Details(container.id);
    ASSERT_TRUE(details.ok()) << details.status();
    EXPECT_EQ(details->pid, truth.pid);
    EXPECT_EQ(details->name, container.name);
    EXPECT_EQ(details->image_digest, truth.image_digest);
    EXPECT_EQ(details->started_at, truth.started_at);
    EXPECT_EQ(details->cgroup_path, truth.pid != 0 ? truth.cgroup_path : "");
    EXPECT_EQ(details->state, container.state);
    const EngineState expected = container.name == "web"   ? EngineState::kRunning
                                 : container.name == "two" ? EngineState::kPaused
                                                           : EngineState::kCreated;
    EXPECT_EQ(container.state, expected) << container.name;
    if (container.name == "two") {
      EXPECT_THAT(details->mounts, Contains(::testing::Pair("/usr", "/data")));
    }
  }
  EXPECT_TRUE(absl::IsNotFound(docker.Get(std::string(64, 'a')).status()));
  EXPECT_TRUE(absl::IsNotFound(docker.Details("web").status()));
  EXPECT_TRUE(Cli("unpause two").ok());
}

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
  EXPECT_EQ(details->image_id, truth.at("Image"));
  EXPECT_EQ(details->image_digest, truth.at("ImageDigest"));
  const int64_t started_at = NanosecondsOf(truth.at("State").at("StartedAt"));
  EXPECT_EQ(details->started_at, started_at);
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(got->started_at, started_at / kSecond * kSecond);  // the list has whole seconds
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

TEST_F(RealPodman, VfsStoreIsReadLikeOverlay) {
  const auto image = MakeImage(*workspace_);
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
}  // namespace roster::testing
