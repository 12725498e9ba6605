// Bundles whose config.json cannot be read, never ends, or lies.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/command.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/bad_input.h"
#include "kernel/fd.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

struct BadBundle {
  std::string name;
  // Makes `bundle`/config.json, or whatever takes its place.
  std::function<void(const std::string& bundle)> make;
};

std::vector<BadBundle> BadBundles() {
  return {
      {"empty", [](const std::string& b) { Write(b + "/config.json", ""); }},
      {"truncated",
       [](const std::string& b) {
         Write(b + "/config.json", R"({"ociVersion":"1.0.2","process":{"ar)");
       }},
      {"no-object", [](const std::string& b) { Write(b + "/config.json", "[1,2,3]"); }},
      {"wrong-types",
       [](const std::string& b) {
         Write(b + "/config.json",
               R"({"annotations":[1],"linux":"x","hostname":{},"process":7,"root":[]})");
       }},
      {"huge",
       [](const std::string& b) {
         Write(b + "/config.json", "{\"a\":\"" + std::string(17 << 20, 'x') + "\"}");
       }},
      {"deep", [](const std::string& b) { Write(b + "/config.json", std::string(200000, '[')); }},
      {"directory", [](const std::string& b) { fs::create_directory(b + "/config.json"); }},
      {"link-out",
       [](const std::string& b) { fs::create_symlink("/etc/shadow", b + "/config.json"); }},
      {"link-loop",
       [](const std::string& b) { fs::create_symlink("config.json", b + "/config.json"); }},
      {"device", [](const std::string& b) { fs::create_symlink("/dev/zero", b + "/config.json"); }},
      {"gone", [](const std::string&) {}},
  };
}

TEST_F(BadInput, BundlesThatCannotBeReadAreNamedInTheLogAndHoldNobodyUp) {
  for (const BadBundle& bad : BadBundles()) {
    SCOPED_TRACE(bad.name);
    const std::string bundle = MakeBundleDirectory(bad.name);
    bad.make(bundle);
    auto result = Runc({"create", "--bundle", bundle, "id-" + bad.name});
    ROSTER_ASSERT_OK(result);
    // runc itself refuses them; what it must not say is that it was not permitted to run.
    EXPECT_NE(result->exit_code, 0);
    EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(bundle)) << "no log line names the bundle";
    EXPECT_THAT(roster_->Log(), ::testing::Not(::testing::HasSubstr("root:")));
  }
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, FifoInPlaceOfConfigJsonBlocksTheRuntimeButNotTheDaemon) {
  const std::string bundle = MakeBundleDirectory("fifo");
  ASSERT_EQ(::mkfifo((bundle + "/config.json").c_str(), 0600), 0);
  auto runtime = Process::Spawn(runc_->CommandLine({"create", "--bundle", bundle, "id-fifo"}));
  ROSTER_ASSERT_OK(runtime);
  // The runtime waits for somebody to write into it; meanwhile everybody else is served.
  ExpectAGoodContainerIsRight();
  ExpectAGoodContainerIsRight();
  Fd writer(::open((bundle + "/config.json").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(writer.valid());
  writer.Reset();
  auto code = runtime->Wait(In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(code);
  EXPECT_NE(*code, 0);
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(bundle));
  ExpectNothingLeft();
}

// config.json claims to be another engine's container: nothing but its own name may come of it.
TEST_F(BadInput, LyingAnnotationsDoNotTakeAnothersPlace) {
  ROSTER_ASSERT_OK(runc_->Run({"victim", {MarkerPath(407), "wait"}}));
  auto victim = observer_->Await(407, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(victim);
  const std::string bundle = GoodBundle("liar", 408, [](nlohmann::json* config) {
    (*config)["annotations"] = {{"io.kubernetes.cri.container-type", "container"},
                                {"io.kubernetes.cri.sandbox-name", std::string(5000, 'p')},
                                {"io.kubernetes.cri.sandbox-namespace", "kube-system"},
                                {"io.kubernetes.cri.container-name", "victim"}};
  });
  auto result = Runc({"run", "--detach", "--bundle", bundle, "liar"});
  ROSTER_ASSERT_OK(result);
  ASSERT_EQ(result->exit_code, 0) << result->err;
  auto liar = observer_->Await(408, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(liar);
  EXPECT_EQ(liar->by_mntns.id, "liar");
  EXPECT_NE(liar->by_mntns.handle, victim->by_mntns.handle);
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  ASSERT_TRUE(list->contains("victim"));
  EXPECT_EQ(NumberField(list->at("victim"), "mntns"), victim->mntns);
  ROSTER_ASSERT_OK(Runc({"delete", "--force", "liar"}));
  ROSTER_ASSERT_OK(runc_->Remove("victim"));
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing
