// A program that embeds the library: containers reach its collection without the daemon.
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engines/command.h"
#include "engines/docker_engine.h"
#include "engines/engine.h"
#include "engines/image.h"
#include "engines/oci_engine.h"
#include "engines/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/embed_fixture.h"
#include "integration/observer.h"
#include "kernel/clock.h"
#include "kernel/pins.h"
#include "own_process.h"
#include "process/proc_task.h"
#include "roster/collection.h"
#include "roster/json.h"
#include "roster/reader.h"
#include "roster_abi.h"

namespace roster::testing {
namespace {

using ::testing::ElementsAre;

TEST_F(Embed, AContainerIsAnnouncedWhenItsRuntimeIsCalledAndRemovedAtItsEnd) {
  StartEngine(EngineKind::kRunc);
  const absl::Status status = collection_.Initialize(Events(), WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  const auto id = engine_->Create({"web", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_NE(Await(EventType::kPreCreate, *id), nullptr);
  ASSERT_TRUE(engine_->StartCreated("web").ok());
  const ContainerPtr created = Await(EventType::kCreated, *id);
  ASSERT_NE(created, nullptr);
  const auto pid = engine_->Pid("web");
  ASSERT_TRUE(pid.ok()) << pid.status();
  EXPECT_EQ(created->runtime.container_pid, static_cast<uint32_t>(*pid));
  const auto task = ProcTask::Open(*pid);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(created->mntns, *task->NamespaceInode(NamespaceKind::kMnt));
  EXPECT_EQ(collection_.LookupContainerByMntns(created->mntns)->handle, created->handle);
  EXPECT_TRUE(OciSpec(*created).ok());
  ASSERT_TRUE(engine_->Remove("web").ok());
  EXPECT_NE(Await(EventType::kDeleted, *id), nullptr);
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  EXPECT_THAT(TypesOf(*id),
              ElementsAre(EventType::kPreCreate, EventType::kCreated, EventType::kDeleted));
}

// Nothing but the runtime's hold has told of it by then.
TEST_F(Embed, ATracersBitIsInTheMembershipBeforeTheContainerStarts) {
  StartEngine(EngineKind::kRunc);
  const auto tracers = std::make_shared<TracerCollection>(nullptr);
  const absl::Status status = collection_.Initialize(Events(), WithTracerCollection(tracers),
                                                     WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  ContainerSelector other;
  other.runtime.container_name = "other";
  ContainerSelector web;
  web.runtime.container_name = "web";
  ASSERT_EQ(tracers->AddTracer("not-this", other).value_or(-1), 0);
  ASSERT_EQ(tracers->AddTracer("this", web).value_or(-1), 1);
  const auto id = engine_->Create({"web", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  const ContainerPtr announced = Await(EventType::kPreCreate, *id);
  ASSERT_NE(announced, nullptr);
  const auto maps = PinnedMaps::Open(PinPaths(hook_.pin_dir));
  ASSERT_TRUE(maps.ok()) << maps.status();
  const roster_membership& slot = maps->slots[ROSTER_HANDLE_SLOT(announced->handle)];
  EXPECT_EQ(slot.handle, announced->handle);
  EXPECT_EQ(slot.tracers[0], 2u);
  EXPECT_THAT(TypesOf(*id), ElementsAre(EventType::kPreCreate));
  ASSERT_TRUE(engine_->StartCreated("web").ok());
  ASSERT_NE(Await(EventType::kCreated, *id), nullptr);
  EXPECT_EQ(slot.tracers[0], 2u);
  ASSERT_TRUE(engine_->Remove("web").ok());
  EXPECT_NE(Await(EventType::kDeleted, *id), nullptr);
}

// Where an engine creates, reads the pid file and starts, the read is held until the subscribers
// have dealt with CREATED.
TEST_F(Embed, SubscribersHaveDealtWithCreatedBeforeTheFirstInstruction) {
  constexpr absl::Duration kWork = absl::Milliseconds(50);
  StartEngine(EngineKind::kRunc);
  // Not under test, and more than any machine is late.
  hook_.hold_deadline = absl::Seconds(10);
  // Shared with the callback, which outlives this scope where an assertion ends it.
  const auto dealt_ns = std::make_shared<std::atomic<uint64_t>>(0);
  const absl::Status status = collection_.Initialize(Events(), WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  const auto subscribed = collection_.Subscribe(
      "slow", {},
      [this, dealt_ns](const PubSubEvent& event) {
        if (event.type != EventType::kCreated) return;
        // A look-up works already; then what takes its time.
        EXPECT_NE(collection_.LookupContainerByMntns(event.container->mntns), nullptr);
        absl::SleepFor(kWork);
        *dealt_ns = MonotonicNs();
      },
      {.deadline = absl::Seconds(10)});
  ASSERT_TRUE(subscribed.ok()) << subscribed.status();
  auto observer = Observer::Attach(Observer::Kind::kHeader, hook_.pin_dir);
  ASSERT_TRUE(observer.ok()) << observer.status();
  const auto id = engine_->Create({"web", {MarkerPath(2), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*dealt_ns, 0U);
  const auto read = RunCommand({"cat", static_cast<OciEngine&>(*engine_).BundleOf("web") + "/pid"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_NE(*dealt_ns, 0U) << "the pid file was read before the subscriber had done its work";
  ASSERT_TRUE(engine_->StartCreated("web").ok());
  const auto call = (*observer)->Await(2, In(absl::Seconds(10)));
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->by_mntns.id, *id);
  EXPECT_GT(call->exec_ns, *dealt_ns);
  observer->reset();
  ASSERT_TRUE(engine_->Remove("web").ok());
}

// Two ways lead to a container that ran before: the engine's list, and the hook's own search.
TEST_F(Embed, DockersContainerThatRanBeforeIsOneContainerWithWhatBothWaysKnow) {
  StartEngine(EngineKind::kDocker);
  const auto id = engine_->Run({"web", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  const std::string socket = static_cast<DockerEngine&>(*engine_).socket();
  const absl::Status status = collection_.Initialize(
      Events(), WithContainerRuntimeEnrichment({.name = "docker", .socket_path = socket}),
      WithOCIConfigForInitialContainer(), WithOCIConfigEnrichment(), WithCgroupEnrichment(),
      WithLinuxNamespaceEnrichment(), WithProcEnrichment(), WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_NE(Await(EventType::kCreated, *id), nullptr);
  // Whoever was first: the handle is there in the end.
  Ticker ticker(absl::Milliseconds(20));
  const absl::Status claimed =
      WaitUntil("the container's handle", {ticker.fd()}, In(absl::Seconds(10)), [&] {
        ticker.Take();
        const ContainerPtr held = collection_.GetContainer(*id);
        return held != nullptr && held->handle != 0;
      });
  ASSERT_TRUE(claimed.ok()) << claimed;
  EXPECT_EQ(collection_.GetContainers(*id).size(), 1u);
  const ContainerPtr held = collection_.GetContainer(*id);
  EXPECT_EQ(held->runtime.runtime_name, "docker");
  EXPECT_EQ(held->runtime.container_name, "web");
  EXPECT_EQ(held->runtime.container_image_name, kImageName);
  EXPECT_NE(held->runtime.container_started_at, 0);
  EXPECT_NE(held->bundle, "");
  EXPECT_NE(held->oci_config, "");
  EXPECT_NE(held->cgroup_path, "");
  EXPECT_NE(held->cgroup_id, 0u);
  EXPECT_EQ(held->runtime.container_pid, static_cast<uint32_t>(engine_->Pid("web").value_or(0)));
  ASSERT_TRUE(engine_->Remove("web").ok());
  EXPECT_NE(Await(EventType::kDeleted, *id), nullptr);
  EXPECT_THAT(TypesOf(*id), ::testing::Contains(EventType::kCreated).Times(1));
}

TEST_F(Embed, WhatDockerSaysAndWhatComesLaterReachesTheRecord) {
  StartEngine(EngineKind::kDocker);
  const absl::Status status = collection_.Initialize(Events(), WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  const auto id = engine_->Run({"web", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  ASSERT_NE(Await(EventType::kCreated, *id), nullptr);
  // Part 3: labels, for containers of every runtime. This one is the image's.
  EXPECT_THAT(collection_.GetContainer(*id)->k8s.pod_labels,
              ::testing::Contains(::testing::Pair("made-by", "roster-engines")));
  // An update by this program, as by an enricher that answers late, is in the record as well.
  ASSERT_TRUE(collection_
                  .UpdateContainer(*id,
                                   [](Container* held) {
                                     held->k8s.pod_name = "pod-by-hand";
                                     return true;
                                   })
                  .ok());
  const uint64_t handle = collection_.GetContainer(*id)->handle;
  const auto maps = PinnedMaps::Open(PinPaths(hook_.pin_dir));
  ASSERT_TRUE(maps.ok()) << maps.status();
  Ticker ticker(absl::Milliseconds(20));
  const absl::Status written = WaitUntil("the record", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    const auto record = maps->records.Find(handle);
    return record.has_value() && std::string(record->pod_name) == "pod-by-hand";
  });
  EXPECT_TRUE(written.ok()) << written;
}

TEST_F(Embed, AnEnrichersWordReachesTheRecordToo) {
  StartEngine(EngineKind::kCrun);
  const absl::Status status = collection_.Initialize(Events(),
                                                     WithEnricher("names",
                                                                  [](Container* c) {
                                                                    c->k8s.pod_name = "enriched";
                                                                    return true;
                                                                  }),
                                                     WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  const auto id = engine_->Run({"web", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  const ContainerPtr created = Await(EventType::kCreated, *id);
  ASSERT_NE(created, nullptr);
  const auto maps = PinnedMaps::Open(PinPaths(hook_.pin_dir));
  ASSERT_TRUE(maps.ok()) << maps.status();
  Ticker ticker(absl::Milliseconds(20));
  const absl::Status written = WaitUntil("the record", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    const auto record = maps->records.Find(created->handle);
    return record.has_value() && std::string(record->pod_name) == "enriched";
  });
  EXPECT_TRUE(written.ok()) << written;
}

TEST_F(Embed, NothingIsLeftWhenTheCollectionIsClosed) {
  StartEngine(EngineKind::kRunc);
  const auto round = [&](const std::string& name) {
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(WithPubSub(), WithRuncFanotify(hook_));
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(engine_->Run({name, {MarkerPath(1), "wait"}}).ok());
    collection.Close();
    ASSERT_TRUE(engine_->Remove(name).ok());
  };
  round("warm");
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  round("one");
  round("two");
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_EQ(CountThreads(), threads);
}

// The hook adds containers that run already before it has started: what the collection then learns
// of them must not pass the pins by.
TEST_F(Embed, WhatIsLearnedWhileTheHookStartsReachesThePins) {
  engine_ = std::make_unique<OciEngine>("runc", *workspace_, OciEngine::States::kDefault);
  ASSERT_TRUE(engine_->Start().ok());
  const auto id = engine_->Run({workspace_->unique_name() + "-early", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  bool updated = false;
  hook_.on_turn = [&] {
    if (updated) return;
    // For the first time before the start is done: which waits, as for any slow engine.
    ASSERT_NE(Await(EventType::kCreated, *id), nullptr);
    ASSERT_TRUE(collection_
                    .UpdateContainer(*id,
                                     [](Container* held) {
                                       held->runtime.container_image_name = "learned:1";
                                       return true;
                                     })
                    .ok());
    updated = true;
  };
  const absl::Status status = collection_.Initialize(Events(), WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  auto reader = Reader::Open(hook_.pin_dir);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const uint64_t mntns = collection_.GetContainer(*id)->mntns;
  Ticker ticker(absl::Milliseconds(10));
  std::string image;
  const absl::Status written = WaitUntil("the record", {ticker.fd()}, In(absl::Seconds(5)), [&] {
    ticker.Take();
    const auto member = reader->FindByMntns(mntns);
    if (member.ok() && member->has_value()) image = (*member)->record.image;
    return image == "learned:1";
  });
  EXPECT_TRUE(written.ok()) << written << "; the record's image is '" << image << "'";
}

}  // namespace
}  // namespace roster::testing
