#include "mirror/record.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace roster {
namespace {

Container Full() {
  Container c;
  c.handle = ROSTER_MAKE_HANDLE(3, 7);
  c.runtime = {.runtime_name = "docker",
               .container_id = std::string(64, 'a'),
               .container_name = "web",
               .container_pid = 42,
               .container_image_name = "nginx:1"};
  c.k8s = {.namespace_name = "default",
           .pod_name = "web-0",
           .pod_labels = {{"app", "web"}, {"tier", "front"}},
           .container_name = "nginx",
           .pod_uid = "0-1-2"};
  c.mntns = 4026532177;
  c.netns = 4026532181;
  c.cgroup_id = 99;
  return c;
}

TEST(Record, ComesBackAsTheContainerItWasMadeOf) {
  const Container c = Full();
  const roster_record record = MakeRecord(c);
  EXPECT_EQ(record.flags, 0u);
  roster_membership slot = {};
  slot.handle = c.handle;
  slot.init_pid = 42;
  slot.mntns = c.mntns;
  slot.netns = static_cast<uint32_t>(c.netns);
  slot.cgroup_id = c.cgroup_id;
  const Container back = ContainerFromRecord(record, slot);
  EXPECT_EQ(back.runtime, c.runtime);
  EXPECT_EQ(back.k8s, c.k8s);
  EXPECT_EQ(back.mntns, c.mntns);
  EXPECT_EQ(back.handle, c.handle);
}

TEST(Record, TextThatDoesNotFitIsCutAtACharactersBorderAndSaysSo) {
  Container c = Full();
  c.runtime.container_name =
      std::string(62, 'x') + "\xc3\xa4\xc3\xa4";  // the first umlaut would end at byte 64
  const roster_record record = MakeRecord(c);
  EXPECT_TRUE(record.flags & ROSTER_R_TRUNCATED);
  EXPECT_EQ(std::string(record.name), std::string(62, 'x'));
}

TEST(Record, TextEndsAtANulOfItsOwn) {
  Container c = Full();
  c.runtime.container_name = std::string("a\0b", 3);
  EXPECT_STREQ(MakeRecord(c).name, "a");
}

TEST(Record, LabelsAreKeptWholeAsFarAsTheyFit) {
  Container c = Full();
  c.k8s.pod_labels = {{"a", "1"}, {"b", std::string(300, 'v')}, {"c", "3"}};
  const roster_record record = MakeRecord(c);
  EXPECT_TRUE(record.flags & ROSTER_R_LABELS_TRUNCATED);
  const Container back = ContainerFromRecord(record, roster_membership{});
  EXPECT_EQ(back.k8s.pod_labels, (Labels{{"a", "1"}}));
}

TEST(Record, FieldsWithoutANulAreReadNoFurtherThanTheirEnd) {
  roster_record record;
  std::memset(&record, 'z', sizeof(record));
  const Container back = ContainerFromRecord(record, roster_membership{});
  EXPECT_EQ(back.runtime.runtime_name.size(), sizeof(record.runtime));
  EXPECT_EQ(back.runtime.container_id.size(), sizeof(record.id));
  EXPECT_TRUE(back.k8s.pod_labels.empty());
}

}  // namespace
}  // namespace roster
