#include "roster/selector.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Container Sample() {
  Container c;
  c.runtime.runtime_name = "docker";
  c.runtime.container_id = "4f3ad0c0ffee";
  c.runtime.container_name = "web_1";
  c.runtime.container_image_name = "docker.io/library/nginx:1.25";
  c.runtime.container_image_id = "sha256:0123456789abcdef";
  c.runtime.container_image_digest = "sha256:fedcba9876543210";
  c.k8s.namespace_name = "shop";
  c.k8s.pod_name = "web-7";
  c.k8s.container_name = "nginx";
  c.k8s.pod_uid = "11-22";
  c.k8s.pod_labels = {{"app", "web"}, {"tier", "front"}, {"size", "12"}, {"empty", ""}};
  c.k8s.owner =
      std::make_shared<OwnerReference>(OwnerReference{"apps/v1", "Deployment", "web", "u", true});
  c.oci_runtime = "runc";
  return c;
}

TEST(Selector, TheReferencesGrammarOfOneValue) {
  struct Row {
    std::string filter;
    std::string value;
    bool matches;
  };
  const std::vector<Row> table = {
      {"", "anything", true}, {"", "", true},       {"a", "a", true},      {"a", "b", false},
      {"a", "", false},       {"a,b", "b", true},   {"a,b", "c", false},   {"!a", "a", false},
      {"!a", "b", true},      {"!a", "", true},     {"a,", "", true},      {"a,", "a", true},
      {"a,", "b", false},     {",", "", true},      {",", "a", false},     {"!", "", false},
      {"!", "a", true},       {"!!a", "!a", false}, {"!!a", "a", true},    {"a,!a", "a", false},
      {"a,!a", "b", false},   {"!a,a", "a", false}, {"a, b", "b", false},  {"a, b", " b", true},
      {"a,!b", "c", false},   {"!a,!b", "c", true}, {"!a,!b", "b", false}, {"a\\,b", "a,b", false},
      {"A", "a", false},
  };
  for (const Row& row : table) {
    Container c;
    ContainerSelector s;
    c.k8s.namespace_name = row.value;
    s.k8s.namespace_name = row.filter;
    EXPECT_EQ(ContainerSelectorMatches(s, c), row.matches) << row.filter << " on " << row.value;
    Container d;
    ContainerSelector t;
    d.runtime.container_name = row.value;
    t.runtime.container_name = row.filter;
    EXPECT_EQ(ContainerSelectorMatches(t, d), row.matches) << row.filter << " on " << row.value;
  }
}

TEST(Selector, EmptySelectorMatchesEverything) {
  EXPECT_TRUE(ContainerSelectorMatches({}, {}));
  EXPECT_TRUE(ContainerSelectorMatches({}, Sample()));
  EXPECT_TRUE(CompiledSelector().MatchesEverything());
}

TEST(Selector, AllFieldsMustMatch) {
  ContainerSelector all;
  all.k8s = {"shop", "web-7", "nginx", {{"app", "web"}}};
  all.runtime = {"web_1", "0123456789ab", "fedcba987654"};
  EXPECT_TRUE(ContainerSelectorMatches(all, Sample()));
  for (int i = 0; i < 7; ++i) {
    ContainerSelector one_wrong = all;
    std::string* const fields[] = {&one_wrong.k8s.namespace_name,
                                   &one_wrong.k8s.pod_name,
                                   &one_wrong.k8s.container_name,
                                   &one_wrong.k8s.pod_labels["app"],
                                   &one_wrong.runtime.container_name,
                                   &one_wrong.runtime.container_image_id,
                                   &one_wrong.runtime.container_image_digest};
    *fields[i] = "wrong-wrong-wrong";
    EXPECT_FALSE(ContainerSelectorMatches(one_wrong, Sample())) << i;
  }
}

TEST(Selector, ImageIdsAreComparedByTwelveBytesAfterTheColon) {
  const std::vector<std::pair<std::string, bool>> table = {
      {"0123456789ab", true},     {"sha256:0123456789ab", true},
      {"0123456789abXXXX", true}, {"0123456789a", false},
      {"!0123456789ab", false},   {"!sha256:0123456789abcdef", false},
      {"!ffffffffffff", true},    {"nginx", false},
      {"md5:0123456789ab", true}, {"ffffffffffff,0123456789ab", true},
  };
  for (const auto& [filter, matches] : table) {
    ContainerSelector s;
    s.runtime.container_image_id = filter;
    EXPECT_EQ(ContainerSelectorMatches(s, Sample()), matches) << filter;
  }
}

TEST(Selector, Labels) {
  struct Row {
    std::string key;
    std::string filter;
    bool with_label;     // app=web
    bool without_label;  // no app
  };
  const std::vector<Row> table = {
      {"app", "web", true, false},   {"app", "db", false, false},  {"app", "", true, false},
      {"app", "!web", false, false}, {"app", "!db", true, false},  {"app", "db,web", true, false},
      {"!app", "web", false, true},  {"!app", "db", true, true},   {"!app", "", false, true},
      {"!app", "!web", true, true},  {"!app", "!db", false, true}, {"!app", "db,web", false, true},
  };
  Container without = Sample();
  without.k8s.pod_labels.erase("app");
  for (const Row& row : table) {
    ContainerSelector s;
    s.k8s.pod_labels = {{row.key, row.filter}};
    EXPECT_EQ(ContainerSelectorMatches(s, Sample()), row.with_label)
        << row.key << ": " << row.filter;
    EXPECT_EQ(ContainerSelectorMatches(s, without), row.without_label)
        << row.key << ": " << row.filter;
  }
}

TEST(Selector, TheExtendedGrammar) {
  const std::vector<std::pair<std::string, bool>> table = {
      // As kubectl.
      {"app=web", true},
      {"app==web", true},
      {" app = web , tier != back ", true},
      {"app!=web", false},
      {"absent!=web", true},
      {"app in (db, web)", true},
      {"app in (db)", false},
      {"app notin (db,cache),tier", true},
      {"app notin (web)", false},
      {"absent notin (web)", true},
      {"absent in (web)", false},
      {"app", true},
      {"absent", false},
      {"!absent", true},
      {"! app", false},
      {"size>11", true},
      {"size > 12", false},
      {"size<13", true},
      {"app>1", false},
      {"empty=", true},
      {"app=", false},
      {"empty in (,x)", true},
      // Fields.
      {"@id^=4f3a", true},
      {"@id ^= 4f3b", false},
      {"@id=4f3ad0c0ffee", true},
      {"@id=4f3a", false},
      {"@runtime in (docker, podman)", true},
      {"@runtime!=docker", false},
      {"@oci-runtime=runc", true},
      {"@image*=nginx", true},
      {"@image=docker.io/library/nginx:1.25", true},
      {"@image^=quay.io/", false},
      {"@image-digest^=\"sha256:fedc\"", true},
      {"@name=web_1,@namespace=shop,@pod=web-7,@container=nginx", true},
      {"@pod-uid=11-22", true},
      {"@owner=web", true},
      {"@owner=Deployment/web", true},
      {"@owner=DaemonSet/web", false},
      {"@owner notin (DaemonSet/web)", true},
      {"@owner in (DaemonSet/web, Deployment/web)", true},
      {"@owner", true},
      {"!@owner", false},
      // Quoted.
      {"app=\"web\"", true},
      {"\"app\"=web", true},
      {"app=\"we\\\"b\"", false},
      {"in in (in)", false},
  };
  for (const auto& [where, matches] : table) {
    ContainerSelector s;
    s.where = where;
    const auto compiled = CompiledSelector::Compile(s);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    EXPECT_EQ(compiled->Matches(Sample()), matches) << where;
    EXPECT_EQ(ContainerSelectorMatches(s, Sample()), matches) << where;
  }
}

TEST(Selector, UnknownFieldsAreAbsent) {
  for (const char* where : {"@runtime", "@owner", "@pod-uid=x", "@image*=a"}) {
    ContainerSelector s;
    s.where = where;
    EXPECT_FALSE(ContainerSelectorMatches(s, Container())) << where;
  }
}

TEST(Selector, AParseErrorPointsAtThePlace) {
  struct Row {
    std::string where;
    size_t offset;
    std::string what;
  };
  const std::vector<Row> table = {
      {"app in (web", 11, "expected ',' or ')'"},
      {"app in web", 7, "expected '('"},
      {"app web", 4, "expected an operator"},
      {"app=web tier", 8, "expected ',' or the end"},
      {"app=web,", 8, "expected a label"},
      {",", 0, "expected a label"},
      {"   ", 3, "expected a label"},
      {"@nonsense=1", 0, "no such field"},
      {"a=1, @nonsense", 5, "no such field"},
      {"app=\"web", 4, "not closed"},
      {"app=\"w\\eb\"", 6, "backslash"},
      {"size>big", 5, "whole number"},
      {"size>99999999999999999999", 5, "whole number"},
      {"@id^=", 5, "expected a text"},
      {"app in (a b)", 10, "expected ',' or ')'"},
      {"!", 1, "expected a label"},
      {"app=a;b", 5, "expected ',' or the end"},
  };
  for (const Row& row : table) {
    ContainerSelector s;
    s.where = row.where;
    const absl::Status status = CompiledSelector::Compile(s).status();
    ASSERT_TRUE(absl::IsInvalidArgument(status)) << row.where;
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr("offset " + std::to_string(row.offset) + ": ")) << row.where;
    EXPECT_THAT(message, HasSubstr(row.what)) << row.where;
    EXPECT_THAT(message,
                HasSubstr("\n  " + row.where + "\n  " + std::string(row.offset, ' ') + "^"));
    EXPECT_FALSE(ContainerSelectorMatches(s, Sample()));
  }
}

TEST(Selector, TheCaretStandsUnderTheCharacterAndControlCharactersAreNotRepeated) {
  ContainerSelector s;
  s.where = "\xC3\xA9=\xC3\xA9\t\x1b[31m=";
  const std::string message(CompiledSelector::Compile(s).status().message());
  EXPECT_THAT(message, HasSubstr("offset 6: "));
  EXPECT_THAT(message, HasSubstr("\n  \xC3\xA9=\xC3\xA9  [31m=\n      ^"));
}

TEST(Selector, AnOverlongExpressionIsRefused) {
  ContainerSelector s;
  s.where = std::string(70 * 1024, 'a');
  EXPECT_TRUE(absl::IsInvalidArgument(CompiledSelector::Compile(s).status()));
}

TEST(Selector, LabelTextThatIsNotKeyAndValueIsReportedAsIgnored) {
  std::vector<std::string> ignored;
  EXPECT_EQ(ParseLabelFilters("a=1,b,c=2=3,!d=4,e=", &ignored),
            (std::map<std::string, std::string>{{"a", "1"}, {"!d", "4"}, {"e", ""}}));
  EXPECT_THAT(ignored, ElementsAre("b", "c=2=3"));
  EXPECT_TRUE(ParseLabelFilters("").empty());
}

}  // namespace
}  // namespace roster
