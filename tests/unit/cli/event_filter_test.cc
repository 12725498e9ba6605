#include "cli/event_filter.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace roster::cli {
namespace {

Entry Named(const std::string& name) {
  Entry entry;
  entry.container.runtime.container_id = "4f3a";
  entry.container.runtime.container_name = name;
  entry.container.handle = 1;
  return entry;
}

TEST(EventFilter, ContainerThatComesToPassAppearsAndOneThatNoLongerDoesIsGone) {
  const auto filters = ParseFilters({"name:web"});
  ASSERT_TRUE(filters.ok()) << filters.status();
  EventFilter filter(*filters);
  EXPECT_EQ(filter.SeenAs("EXISTING", Named("")), std::nullopt);
  EXPECT_EQ(filter.SeenAs("UPDATED", Named("web")), "CREATED");
  EXPECT_EQ(filter.SeenAs("UPDATED", Named("web")), "UPDATED");
  EXPECT_EQ(filter.SeenAs("UPDATED", Named("db")), "DELETED");
  EXPECT_EQ(filter.SeenAs("UPDATED", Named("db")), std::nullopt);
  EXPECT_EQ(filter.SeenAs("DELETED", Named("db")), std::nullopt);
}

TEST(EventFilter, EndIsShownOfWhatWasShownWhateverItIsThen) {
  const auto filters = ParseFilters({"name:web"});
  ASSERT_TRUE(filters.ok()) << filters.status();
  EventFilter filter(*filters);
  EXPECT_EQ(filter.SeenAs("CREATED", Named("web")), "CREATED");
  EXPECT_EQ(filter.SeenAs("DELETED", Named("")), "DELETED");
  EXPECT_EQ(filter.SeenAs("DELETED", Named("")), std::nullopt);
}

}  // namespace
}  // namespace roster::cli
