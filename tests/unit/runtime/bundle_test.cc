#include "runtime/bundle.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/process/child.h"

namespace roster {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "bundle_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = fs::canonical(name);
    bundle_ = root_ + "/b";
    fs::create_directory(bundle_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static void Write(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary)
        .write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  static std::string Hostname(std::string_view name) {
    return absl::StrCat("{\"hostname\":\"", std::string(name), "\"}");
  }

  static ProcTask Self() { return *ProcTask::Open(getpid()); }

  std::string root_;
  std::string bundle_;
};

TEST_F(BundleTest, ReadsTheTextAndThePathAndTheSpec) {
  Write(bundle_ + "/config.json", Hostname("h"));
  for (const absl::StatusOr<Bundle>& bundle :
       {ReadBundleAt(bundle_), ReadBundle(Self(), bundle_)}) {
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    EXPECT_EQ(bundle->path, bundle_);
    EXPECT_EQ(bundle->config_text, Hostname("h"));
    EXPECT_EQ(bundle->spec.hostname, "h");
  }
}

TEST_F(BundleTest, UserdataIsSecondToTheBundleItself) {
  fs::create_directory(bundle_ + "/userdata");
  Write(bundle_ + "/userdata/config.json", Hostname("userdata"));
  EXPECT_EQ(ReadBundleAt(bundle_)->spec.hostname, "userdata");
  EXPECT_EQ(ReadBundleAt(bundle_)->path, bundle_);
  Write(bundle_ + "/config.json", Hostname("bundle"));
  EXPECT_EQ(ReadBundleAt(bundle_)->spec.hostname, "bundle");
}

TEST_F(BundleTest, RelativePathsAreTheCallersAndAnEmptyOneIsItsDirectory) {
  Write(bundle_ + "/config.json", Hostname("h"));
  Child caller([&] {
    if (chdir(bundle_.c_str()) != 0) _exit(1);
  });
  ASSERT_TRUE(caller.ready());
  const ProcTask task = *ProcTask::Open(caller.pid());
  for (const char* path : {"", ".", "./", "../b", "../../../../../../../..//proc/self/../.."}) {
    const absl::StatusOr<Bundle> bundle = ReadBundle(task, path);
    if (std::string_view(path).find("proc") != std::string_view::npos) {
      EXPECT_FALSE(bundle.ok()) << path;
      continue;
    }
    ASSERT_TRUE(bundle.ok()) << path << ": " << bundle.status();
    EXPECT_EQ(bundle->path, bundle_) << path;
  }
  EXPECT_TRUE(absl::IsNotFound(ReadBundle(Self(), "b").status()));
}

TEST_F(BundleTest, SymbolicLinksToTheBundleAreFollowed) {
  Write(bundle_ + "/config.json", Hostname("h"));
  fs::create_symlink(bundle_, root_ + "/absolute");
  fs::create_symlink("b", root_ + "/relative");
  for (const char* link : {"/absolute", "/relative"}) {
    const absl::StatusOr<Bundle> bundle = ReadBundle(Self(), root_ + link);
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    EXPECT_EQ(bundle->path, bundle_);
  }
}

TEST_F(BundleTest, TheCallersRootBoundsPathsAndLinks) {
  if (getuid() != 0) GTEST_SKIP() << "chroot needs root";
  // Below the caller's root lies an "etc/b" of its own; the same path on the host has another
  // config.json.
  fs::create_directories(root_ + "/jail" + bundle_);
  Write(root_ + "/jail" + bundle_ + "/config.json", Hostname("jail"));
  Write(bundle_ + "/config.json", Hostname("host"));
  fs::create_symlink(bundle_, root_ + "/jail/link");
  Child caller([&] {
    if (chroot((root_ + "/jail").c_str()) != 0 || chdir("/") != 0) _exit(1);
  });
  ASSERT_TRUE(caller.ready());
  const ProcTask task = *ProcTask::Open(caller.pid());
  const std::string climbing = "/../../../../../../../.." + bundle_;
  for (const std::string& path : {bundle_, std::string("/link"), climbing, "." + bundle_,
                                  std::string("link"), "../../.." + bundle_}) {
    const absl::StatusOr<Bundle> bundle = ReadBundle(task, path);
    // A relative path of a chroot's may be refused, but never leave it.
    if (!bundle.ok()) {
      EXPECT_NE(path.front(), '/') << path << ": " << bundle.status();
      continue;
    }
    EXPECT_EQ(bundle->spec.hostname, "jail") << path;
  }
  EXPECT_EQ(ReadBundle(task, "." + bundle_)->spec.hostname, "jail");
}

TEST_F(BundleTest, TheCallersMountNamespaceIsTheOneThatCounts) {
  Write(bundle_ + "/config.json", Hostname("host"));
  Child caller([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", bundle_.c_str(), "tmpfs", 0, nullptr) != 0) {
      _exit(1);
    }
    Write(bundle_ + "/config.json", Hostname("private"));
    if (chdir(bundle_.c_str()) != 0) _exit(1);
  });
  if (!caller.ready()) GTEST_SKIP() << "a mount namespace is not permitted";
  const ProcTask task = *ProcTask::Open(caller.pid());
  for (const std::string& path : {bundle_, std::string("."), std::string(), std::string("../b")}) {
    const absl::StatusOr<Bundle> bundle = ReadBundle(task, path);
    ASSERT_TRUE(bundle.ok()) << path << ": " << bundle.status();
    EXPECT_EQ(bundle->spec.hostname, "private") << path;
  }
}

TEST_F(BundleTest, MagicLinksOfProcAreNotFollowed) {
  Write(bundle_ + "/config.json", Hostname("h"));
  const Fd fd(open(bundle_.c_str(), O_PATH | O_CLOEXEC));
  EXPECT_FALSE(ReadBundle(Self(), absl::StrCat("/proc/self/fd/", fd.get())).ok());
}

TEST_F(BundleTest, AbsentThingsAreNotFoundByName) {
  const absl::Status no_config = ReadBundleAt(bundle_).status();
  EXPECT_TRUE(absl::IsNotFound(no_config));
  EXPECT_THAT(std::string(no_config.message()), HasSubstr(bundle_ + "/config.json"));
  EXPECT_TRUE(absl::IsNotFound(ReadBundle(Self(), root_ + "/gone").status()));
  EXPECT_THAT(std::string(ReadBundle(Self(), root_ + "/gone").status().message()),
              HasSubstr("/gone"));
  Child child([] {});
  const ProcTask task = *ProcTask::Open(child.pid());
  child.End();
  EXPECT_TRUE(absl::IsNotFound(ReadBundle(task, bundle_).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadBundle(task, "").status()));
}

TEST_F(BundleTest, WhatIsNoRegularFileIsRefusedAndNotWaitedFor) {
  const std::string config = bundle_ + "/config.json";
  const auto refused = [&](const char* kind) {
    const absl::Status status = ReadBundleAt(bundle_).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << kind << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(kind));
    EXPECT_THAT(std::string(status.message()), HasSubstr(config));
    fs::remove_all(config);
  };
  ASSERT_EQ(mkfifo(config.c_str(), 0600), 0);
  refused("a FIFO");
  fs::create_directory(config);
  refused("a directory");
  Write(root_ + "/outside.json", Hostname("outside"));
  fs::create_symlink(root_ + "/outside.json", config);
  refused("a symbolic link");
  fs::create_symlink("/nowhere", config);
  refused("a symbolic link");
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {AF_UNIX, {}};
  ASSERT_LT(config.size(), sizeof(address.sun_path));
  config.copy(address.sun_path, config.size());
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  refused("a socket");
}

TEST_F(BundleTest, ASymbolicLinkForUserdataIsNotFollowed) {
  fs::create_directory(root_ + "/other");
  Write(root_ + "/other/config.json", Hostname("other"));
  fs::create_symlink(root_ + "/other", bundle_ + "/userdata");
  EXPECT_TRUE(absl::IsNotFound(ReadBundleAt(bundle_).status()));
}

TEST_F(BundleTest, ABundleThatIsAFileIsAnError) {
  Write(root_ + "/file", "x");
  EXPECT_FALSE(ReadBundleAt(root_ + "/file").ok());
  EXPECT_FALSE(ReadBundle(Self(), std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(ReadBundle(Self(), std::string(5000, 'a')).ok());
}

TEST_F(BundleTest, SixteenMebibytesAreTheLimit) {
  const std::string config = bundle_ + "/config.json";
  std::string text = Hostname("h");
  text.append(kMaxConfigBytes - text.size(), ' ');
  Write(config, text);
  EXPECT_TRUE(ReadBundleAt(bundle_).ok()) << ReadBundleAt(bundle_).status();
  Write(config, text + " ");
  const absl::Status status = ReadBundleAt(bundle_).status();
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("17 MiB is over the limit of 16 MiB"));
  // A sparse file of a terabyte costs nothing either.
  ASSERT_EQ(truncate(config.c_str(), off_t{1} << 40), 0);
  EXPECT_TRUE(absl::IsOutOfRange(ReadBundleAt(bundle_).status()));
}

TEST_F(BundleTest, ContentsThatAreWrongAreNamedWithTheBundle) {
  for (const char* text : {"", "{", "{\"hostname\":", "{\"hostname\":1}", "[]"}) {
    Write(bundle_ + "/config.json", text);
    const absl::Status status = ReadBundleAt(bundle_).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bundle_)) << text;
  }
  Write(bundle_ + "/config.json", std::string(1'000'000, '['));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadBundleAt(bundle_).status()));
}

TEST_F(BundleTest, TheTextIsMadeValidUtf8) {
  Write(bundle_ + "/config.json", "{\"hostname\":\"\xff\"}");
  EXPECT_EQ(ReadBundleAt(bundle_)->config_text, "{\"hostname\":\"\xef\xbf\xbd\"}");
}

TEST_F(BundleTest, CrunsConfigOptionNamesAnotherFile) {
  Write(bundle_ + "/other.json", Hostname("other"));
  Write(root_ + "/far.json", Hostname("far"));
  EXPECT_EQ(ReadBundle(Self(), bundle_, "other.json")->spec.hostname, "other");
  EXPECT_EQ(ReadBundle(Self(), bundle_, root_ + "/far.json")->spec.hostname, "far");
  EXPECT_TRUE(absl::IsNotFound(ReadBundle(Self(), bundle_, "gone.json").status()));
}

}  // namespace
}  // namespace roster
