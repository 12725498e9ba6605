#include "roster/tracer_collection.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FakeSink : public TracerSink {
 public:
  absl::Status SetTracerBits(uint64_t handle, const TracerBits& b) override {
    bits[handle] = b;
    return absl::OkStatus();
  }
  absl::Status CreateSet(std::string_view tracer, TracerSet set) override {
    if (refuse_sets) return absl::ResourceExhaustedError("no memory");
    sets[Key(tracer, set)];
    return absl::OkStatus();
  }
  absl::Status RemoveSet(std::string_view tracer, TracerSet set) override {
    sets.erase(Key(tracer, set));
    return absl::OkStatus();
  }
  absl::Status AddToSet(std::string_view tracer, TracerSet set, uint64_t key) override {
    if (full) return absl::ResourceExhaustedError("full");
    sets.at(Key(tracer, set)).insert(key);
    return absl::OkStatus();
  }
  absl::Status RemoveFromSet(std::string_view tracer, TracerSet set, uint64_t key) override {
    EXPECT_EQ(sets.at(Key(tracer, set)).erase(key), 1u);
    return absl::OkStatus();
  }
  static std::string Key(std::string_view tracer, TracerSet set) {
    return absl::StrCat(std::string(tracer), set == TracerSet::kMntns ? "/mntnsset" : "/cgroupset");
  }
  bool full = false;
  bool refuse_sets = false;
  std::map<uint64_t, TracerBits> bits;
  std::map<std::string, std::set<uint64_t>> sets;
};

class TracersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(collection_.Initialize(WithTracerCollection(tracers_)).ok());
  }
  static ContainerSelector App(const std::string& app) {
    ContainerSelector s;
    s.k8s.pod_labels = {{"app", app}};
    return s;
  }
  void Add(const std::string& id, const std::string& app, uint64_t mntns, uint64_t handle) {
    Container c;
    c.runtime.container_id = id;
    c.mntns = mntns;
    c.handle = handle;
    c.cgroup_id = handle * 10;
    if (!app.empty()) c.k8s.pod_labels = {{"app", app}};
    ASSERT_TRUE(collection_.AddContainer(c).ok());
  }

  FakeSink sink_;
  std::shared_ptr<TracerCollection> tracers_ = std::make_shared<TracerCollection>(&sink_);
  ContainerCollection collection_;
};

TEST_F(TracersTest, BitsFollowContainersAndTracers) {
  Add("a", "web", 1, 11);
  ASSERT_EQ(*tracers_->AddTracer("t0", App("web")), 0);
  ASSERT_EQ(*tracers_->AddTracer("t1", {}), 1);
  EXPECT_EQ(sink_.bits[11], (TracerBits{3, 0}));
  Add("b", "db", 2, 12);
  EXPECT_EQ(sink_.bits[12], (TracerBits{2, 0}));
  ASSERT_TRUE(tracers_->RemoveTracer("t1").ok());
  EXPECT_EQ(sink_.bits[11], (TracerBits{1, 0}));
  EXPECT_EQ(sink_.bits[12], (TracerBits{0, 0}));
  // Labels that arrive later.
  ASSERT_TRUE(collection_
                  .UpdateContainer("b",
                                   [](Container* c) {
                                     c->k8s.pod_labels = {{"app", "web"}};
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(sink_.bits[12], (TracerBits{1, 0}));
  EXPECT_EQ(tracers_->BitsOf(*collection_.GetContainer("b")), (TracerBits{1, 0}));
}

TEST_F(TracersTest, AHandleThatArrivesLaterGetsItsBits) {
  ASSERT_TRUE(tracers_->AddTracer("t", {}).ok());
  Add("a", "", 1, 0);
  EXPECT_THAT(sink_.bits, IsEmpty());
  ASSERT_TRUE(collection_
                  .UpdateContainer("a",
                                   [](Container* c) {
                                     c->handle = 5;
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(sink_.bits[5], (TracerBits{1, 0}));
}

TEST_F(TracersTest, TheHundredAndTwentyNinthIsRefused) {
  for (int i = 0; i < kMaxTracers; ++i) {
    ASSERT_EQ(*tracers_->AddTracer(absl::StrCat("t", i), {}), i);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(tracers_->AddTracer("more", {}).status()));
  EXPECT_EQ(tracers_->TracerCount(), 128u);
  Add("a", "", 1, 11);
  EXPECT_EQ(sink_.bits[11], (TracerBits{~0ULL, ~0ULL}));
  ASSERT_TRUE(tracers_->RemoveTracer("t77").ok());
  EXPECT_EQ(*tracers_->AddTracer("more", {}), 77);
}

TEST_F(TracersTest, MisuseIsAnError) {
  ASSERT_TRUE(tracers_->AddTracer("t", {}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(tracers_->AddTracer("t", {}).status()));
  for (const std::string name : {"", "a/b", "..", "a.b", "a b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(tracers_->AddTracer(name, {}).status())) << name;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(tracers_->AddTracer(std::string(65, 'a'), {}).status()));
  ContainerSelector bad;
  bad.where = "(";
  EXPECT_TRUE(absl::IsInvalidArgument(tracers_->AddTracer("u", bad).status()));
  EXPECT_TRUE(absl::IsNotFound(tracers_->RemoveTracer("")));
  EXPECT_TRUE(absl::IsNotFound(tracers_->RemoveTracer("u")));
  EXPECT_TRUE(absl::IsAlreadyExists(tracers_->AddTracerAt(0, "u", {})));
  EXPECT_TRUE(absl::IsInvalidArgument(tracers_->AddTracerAt(128, "u", {})));
  EXPECT_TRUE(tracers_->AddTracerAt(100, "u", {}).ok());
  EXPECT_TRUE(tracers_->TracerExists("u"));
  EXPECT_FALSE(tracers_->TracerExists("v"));
}

// Part 2: DELETED removes the entry even if another container shares that mount namespace.
TEST_F(TracersTest, ASharedMountNamespaceStaysInTheSetUntilTheLastIsGone) {
  ASSERT_TRUE(tracers_->AddTracer("t", App("web"), {true, true}).ok());
  Add("a", "web", 7, 11);
  Add("b", "web", 7, 12);
  Add("c", "db", 8, 13);
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(7));
  EXPECT_THAT(sink_.sets["t/cgroupset"], ElementsAre(110, 120));
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(7));
  EXPECT_THAT(sink_.sets["t/cgroupset"], ElementsAre(120));
  ASSERT_TRUE(collection_.RemoveContainer("b").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
  ASSERT_TRUE(tracers_->RemoveTracer("t").ok());
  EXPECT_THAT(sink_.sets, IsEmpty());
}

TEST_F(TracersTest, SetsFollowAnUpdate) {
  ASSERT_TRUE(tracers_->AddTracer("t", App("web"), {true, false}).ok());
  Add("a", "web", 0, 11);  // not known yet: in no set
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
  const auto change = [&](uint64_t mntns, std::string app) {
    return collection_.UpdateContainer("a", [&](Container* c) {
      c->mntns = mntns;
      c->k8s.pod_labels = {{"app", app}};
      return true;
    });
  };
  ASSERT_TRUE(change(5, "web").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(5));
  ASSERT_TRUE(change(6, "web").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(6));
  ASSERT_TRUE(change(6, "db").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
}

// Part 2: nameless containers are in the filter maps, or not, depending on who came first.
TEST_F(TracersTest, NamelessContainersAreInTheSetsWhoeverCameFirst) {
  Add("a", "", 1, 11);
  ASSERT_TRUE(tracers_->AddTracer("t", {}, {true, false}).ok());
  Add("b", "", 2, 12);
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(1, 2));
}

// Part 2: the error of a full map is ignored.
TEST_F(TracersTest, AFullSetIsCountedAndTriedAgain) {
  ASSERT_TRUE(tracers_->AddTracer("t", {}, {true, false}).ok());
  sink_.full = true;
  Add("a", "", 1, 11);
  EXPECT_EQ(tracers_->SinkErrors(), 1u);
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
  sink_.full = false;
  ASSERT_TRUE(tracers_->Resync().ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], ElementsAre(1));
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
}

TEST_F(TracersTest, ATracerWhoseSetCannotBeMadeIsNotAdded) {
  sink_.refuse_sets = true;
  EXPECT_TRUE(absl::IsResourceExhausted(tracers_->AddTracer("t", {}, {true, true}).status()));
  EXPECT_FALSE(tracers_->TracerExists("t"));
}

// Part 2: a tracer added while a container is removed keeps the dead one for ever.
TEST_F(TracersTest, ATracerAddedInADeletedEventForgetsTheContainer) {
  ASSERT_TRUE(collection_
                  .Subscribe("s", {},
                             [&](const PubSubEvent& event) {
                               if (event.type == EventType::kDeleted) {
                                 EXPECT_TRUE(tracers_->AddTracer("late", {}, {true, false}).ok());
                               }
                             })
                  .ok());
  Add("a", "", 1, 11);
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_THAT(sink_.sets["late/mntnsset"], IsEmpty());
  EXPECT_THAT(*tracers_->TracerContainers("late"), IsEmpty());
}

TEST_F(TracersTest, BitsAreSetBeforeCreatedIsPublished) {
  ASSERT_TRUE(tracers_->AddTracer("t", {}, {true, false}).ok());
  bool seen = false;
  ASSERT_TRUE(collection_
                  .Subscribe("s", {},
                             [&](const PubSubEvent& event) {
                               if (event.type == EventType::kCreated) {
                                 seen = sink_.sets["t/mntnsset"].contains(1);
                               }
                             })
                  .ok());
  Add("a", "", 1, 11);
  EXPECT_TRUE(seen);
}

TEST_F(TracersTest, DumpAndListSayWhatThereIs) {
  ASSERT_TRUE(tracers_->AddTracer("b", App("web")).ok());
  ASSERT_TRUE(tracers_->AddTracer("a", {}).ok());
  Add("x", "web", 7, 11);
  const std::vector<TracerInfo> infos = tracers_->Tracers();
  ASSERT_EQ(infos.size(), 2u);
  EXPECT_EQ(infos[0].name, "a");
  EXPECT_EQ(infos[1].bit, 0);
  EXPECT_EQ(infos[1].containers, 1u);
  EXPECT_EQ(tracers_->TracerDump(),
            "a bit 1, 1 containers\n  x mntns 7 //\nb bit 0, 1 containers\n  x mntns 7 //\n");
}

TEST_F(TracersTest, ClosingTheCollectionEmptiesTheSets) {
  ASSERT_TRUE(tracers_->AddTracer("t", {}, {true, false}).ok());
  Add("a", "", 1, 11);
  collection_.Close();
  EXPECT_THAT(sink_.sets["t/mntnsset"], IsEmpty());
  tracers_->Close();
  EXPECT_EQ(tracers_->TracerCount(), 0u);
}

}  // namespace
}  // namespace roster
