// Deadlines hold whoever sets the time. A program of its own: its wall clock is the test's.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"
#include "roster/pubsub.h"

namespace {
std::atomic<int64_t> wall_clock_offset{0};  // seconds
}  // namespace

// In place of the C library's.
extern "C" int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME && result == 0) now->tv_sec += wall_clock_offset.load();
  return static_cast<int>(result);
}

namespace roster {
namespace {

constexpr int64_t kDay = 24 * 3600;

absl::Duration SinceBoot() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

class PubSubClock : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::Time before = absl::Now();
    wall_clock_offset = kDay;
    ASSERT_GT(absl::Now() - before, absl::Hours(23)) << "the clock is not the test's";
  }
  void TearDown() override { wall_clock_offset = 0; }

  const std::unique_ptr<GadgetPubSub> pubsub_ = NewGadgetPubSub();
};

TEST_F(PubSubClock, AClockThatIsSetBackStretchesNoHold) {
  std::latch release(1);
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent&) {
        wall_clock_offset = 0;
        release.wait();
      },
      nullptr, WithDeadline(absl::Milliseconds(50)));
  std::atomic<bool> returned{false};
  std::thread publisher([&] {
    pubsub_->Publish(EventType::kCreated, Named("a"));
    returned = true;
  });
  // Where the publisher is wrong, a day is too long for a test.
  const absl::Duration end = SinceBoot() + absl::Seconds(15);
  while (!returned && SinceBoot() < end) std::this_thread::yield();
  EXPECT_TRUE(returned);
  EXPECT_EQ(pubsub_->Stats("hangs")->late, 1u);
  release.count_down();
  publisher.join();
  // The callback uses what is this function's.
  pubsub_->Unsubscribe("hangs");
}

TEST_F(PubSubClock, AClockThatIsSetForwardEndsNoHold) {
  bool ended = false;
  pubsub_->Subscribe(
      "takes its time",
      [&](const PubSubEvent&) {
        wall_clock_offset = 2 * kDay;
        absl::SleepFor(absl::Milliseconds(50));
        ended = true;
      },
      nullptr, WithDeadline(absl::Seconds(60)));
  pubsub_->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(pubsub_->Stats("takes its time")->late, 0u);
  EXPECT_EQ(pubsub_->Stats("takes its time")->delivered, 1u);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace roster
