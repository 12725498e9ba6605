// Podman's own files.
#include "enrich/podman_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "recorded.h"
#include "temporary_directory.h"

namespace roster {
namespace {

TEST(PodmanBundle, IsTakenApartForAnyDriver) {
  const PodmanStore store = ParsePodmanBundle("/var/lib/s/vfs-containers/ab/userdata");
  EXPECT_EQ(store.containers, "/var/lib/s/vfs-containers");
  EXPECT_EQ(store.images, "/var/lib/s/vfs-images");
  EXPECT_EQ(store.id, "ab");
  EXPECT_EQ(ParsePodmanBundle("/s/overlay-containers/ab/userdata/").images, "/s/overlay-images");
}

TEST(PodmanBundle, OtherPathsAreNone) {
  for (const char* path : {"", "/", "userdata", "/a/userdata", "/s/overlay/ab/userdata",
                           "/s/overlay-containers/../userdata", "s/overlay-containers/ab/userdata",
                           "/s/overlay-containers/ab/rootfs"}) {
    EXPECT_TRUE(ParsePodmanBundle(path).empty()) << path;
  }
}

TEST(PodmanEntry, RecordedFileGivesNameAndImage) {
  const std::string text = Recorded("podman_containers.json");
  const auto entry = FindPodmanEntry(text, kRecordedPodman);
  ASSERT_TRUE(entry.ok()) << entry.status();
  const auto container = ParsePodmanEntry(*entry);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->name, "web-podman");
  EXPECT_EQ(container->image_name, "localhost/roster-test:1");
  EXPECT_EQ(container->image_id, kRecordedImage);
}

TEST(PodmanEntry, IsFoundAmongOthersWhateverTheirStringsHold) {
  const std::string text =
      R"([{"id":"aa","names":["}{\"id\":\"bb\""],"metadata":"{\"id\":\"bb\"}\\"},{"id":"bb","names":["right"]}])";
  const auto entry = FindPodmanEntry(text, "bb");
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(*entry, R"({"id":"bb","names":["right"]})");
  EXPECT_EQ(FindPodmanEntry(text, "b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FindPodmanEntry("null", "b").status().code(), absl::StatusCode::kNotFound);
}

TEST(PodmanEntry, CutOffOrGarbageIsDataLoss) {
  EXPECT_EQ(FindPodmanEntry(R"([{"id":"bb","names":["ri)", "bb").status().code(),
            absl::StatusCode::kDataLoss);
  for (const std::string& garbage : GarbageReplies()) {
    EXPECT_FALSE(ParsePodmanEntry(garbage).ok() && ParsePodmanEntry(garbage)->id.empty());
    EXPECT_FALSE(FindPodmanEntry(garbage, "bb").ok());
  }
}

TEST(PodmanState, FilesAreReadAndVolatileOnesToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "the files must be root's";
  TemporaryDirectory directory;
  const PodmanStore store = ParsePodmanBundle(
      absl::StrCat(directory.path(), "/overlay-containers/", kRecordedPodman, "/userdata"));
  EXPECT_EQ(ReadPodmanState(store).status().code(), absl::StatusCode::kNotFound);
  directory.Write("overlay-containers/containers.json", "[]");
  directory.Write("overlay-containers/volatile-containers.json",
                  Recorded("podman_containers.json"));
  directory.Write("overlay-images/images.json", Recorded("podman_images.json"));
  const auto container = ReadPodmanState(store);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->name, "web-podman");
  const auto digest = ReadPodmanImageDigest(store, kRecordedImage);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, kRecordedDigest);
}

TEST(PodmanState, AFileThatOthersMayWriteIsNotBelieved) {
  if (::geteuid() != 0) GTEST_SKIP() << "the files must be root's";
  TemporaryDirectory directory;
  const std::string path =
      directory.Write("overlay-containers/containers.json", Recorded("podman_containers.json"));
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  const auto container = ReadPodmanState(ParsePodmanBundle(
      absl::StrCat(directory.path(), "/overlay-containers/", kRecordedPodman, "/userdata")));
  EXPECT_EQ(container.status().code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace roster
