// What is remembered of an engine's images, and of its not answering about them.
#include "enrich/digest_cache.h"

#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

TEST(DigestCache, AnAnswerIsAskedForOnce) {
  DigestCache cache;
  int asked = 0;
  const auto ask = [&asked] {
    ++asked;
    return std::string("sha256:a");
  };
  EXPECT_EQ(*cache.Get("a", ask), "sha256:a");
  EXPECT_EQ(*cache.Get("a", ask), "sha256:a");
  EXPECT_EQ(asked, 1);
}

TEST(DigestCache, AnEngineThatWasSlowToFailIsLeftAloneForALongerTimeAndItsErrorTold) {
  DigestCache cache;
  const absl::Status away = absl::UnavailableError("GET /images/a from /run/engine.sock: away");
  const auto slowly = [&away]() -> absl::StatusOr<std::string> {
    absl::Notification().WaitForNotificationWithTimeout(absl::Milliseconds(500));
    return away;
  };
  EXPECT_EQ(cache.Get("a", slowly).status(), away);
  const auto other = cache.Get("b", []() -> absl::StatusOr<std::string> {
    ADD_FAILURE() << "asked";
    return "sha256:b";
  });
  EXPECT_EQ(other.status(), away);
}

TEST(DigestCache, AnotherErrorKeepsNoImageFromBeingAskedFor) {
  DigestCache cache;
  const auto badly = []() -> absl::StatusOr<std::string> {
    absl::Notification().WaitForNotificationWithTimeout(absl::Milliseconds(100));
    return absl::DataLossError("garbage");
  };
  EXPECT_TRUE(absl::IsDataLoss(cache.Get("a", badly).status()));
  EXPECT_EQ(*cache.Get("b", [] { return std::string("sha256:b"); }), "sha256:b");
}

}  // namespace
}  // namespace roster
