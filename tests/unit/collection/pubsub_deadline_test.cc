// How long a publisher waits, and who gets a thread meanwhile.
#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"
#include "roster/pubsub.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

// Part 2: a subscriber that hangs or throws takes everyone with it.
TEST(PubSub, AHangingSubscriberDelaysByItsDeadlineOnceAndMissesNothing) {
  const auto pubsub = NewGadgetPubSub();
  std::latch release(1);
  std::vector<std::string> hung;
  std::vector<std::string> healthy;
  SubscriptionOptions options;
  options.deadline = absl::Milliseconds(50);
  pubsub->Subscribe(
      "hangs",
      [&](const PubSubEvent& event) {
        release.wait();
        hung.push_back(event.container->runtime.container_id);
      },
      nullptr, options);
  pubsub->Subscribe("healthy", [&](const PubSubEvent& event) {
    healthy.push_back(event.container->runtime.container_id);
  });
  const absl::Time begin = absl::Now();
  pubsub->Publish(EventType::kCreated, Named("0"));
  const absl::Duration first = absl::Now() - begin;
  EXPECT_GE(first, absl::Milliseconds(50));
  EXPECT_LT(first, absl::Seconds(5));
  // It is not waited for again until it has caught up: 20 deadlines would be a second.
  for (int i = 1; i <= 20; ++i) pubsub->Publish(EventType::kCreated, Named(absl::StrCat(i)));
  EXPECT_LT(absl::Now() - begin - first, absl::Milliseconds(900));
  EXPECT_EQ(healthy.size(), 21u);
  EXPECT_EQ(pubsub->Stats("hangs")->late, 21u);
  EXPECT_EQ(pubsub->Stats("hangs")->queued, 20u);
  release.count_down();
  // Unsubscribing would drop what is queued; an event that is waited for says that all before it is
  // done.
  while (pubsub->Stats("hangs")->delivered < 21u) std::this_thread::yield();
  pubsub->Publish(EventType::kCreated, Named("21"));
  ASSERT_EQ(hung.size(), 22u);
  for (int i = 0; i <= 21; ++i) EXPECT_EQ(hung[i], absl::StrCat(i));
  EXPECT_EQ(pubsub->Stats("hangs")->late, 21u);
  EXPECT_EQ(pubsub->Stats("healthy")->late, 0u);
}

TEST(PubSub, AFullQueueDropsAndCounts) {
  const auto pubsub = NewGadgetPubSub();
  std::latch begun(1), release(1);
  SubscriptionOptions options;
  options.deadline = absl::Milliseconds(1);
  options.queue_limit = 3;
  std::atomic<int> calls{0};
  pubsub->Subscribe(
      "slow",
      [&](const PubSubEvent&) {
        if (!begun.try_wait()) begun.count_down();
        release.wait();
        ++calls;
      },
      nullptr, options);
  // The first is taken from the queue before the others fill it.
  pubsub->Publish(EventType::kCreated, Named("a"));
  begun.wait();
  for (int i = 1; i < 10; ++i) pubsub->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(pubsub->Stats("slow")->dropped, 6u);
  release.count_down();
  while (calls < 4) std::this_thread::yield();
  EXPECT_EQ(pubsub->Stats("slow")->dropped, 6u);
}

class PubSubDeadline : public ::testing::Test {
 protected:
  void TearDown() override { Release(); }

  void SubscribeHanging(absl::Duration deadline) {
    pubsub_->Subscribe(
        "hangs", [this](const PubSubEvent&) { release_.wait(); }, nullptr, WithDeadline(deadline));
  }
  void Release() {
    if (!released_.exchange(true)) release_.count_down();
  }

  std::latch release_{1};
  std::atomic<bool> released_{false};
  const std::unique_ptr<GadgetPubSub> pubsub_ = NewGadgetPubSub();
};

TEST_F(PubSubDeadline, AHangingSubscriberKeepsNoThreadFromOthersWithShortDeadlines) {
  // One that a thread is called for only after the deadline is late every time; one that gets it in
  // time may yet be late where the machine is slow.
  EXPECT_TRUE(Eventually([] {
    std::latch release(1);
    const auto pubsub = NewGadgetPubSub();
    const SubscriptionOptions options = WithDeadline(absl::Microseconds(400));
    for (const char* key : {"hangs", "hangs too"}) {
      pubsub->Subscribe(
          key, [&](const PubSubEvent&) { release.wait(); }, nullptr, options);
    }
    pubsub->Subscribe(
        "healthy", [](const PubSubEvent&) {}, nullptr, options);
    pubsub->Publish(EventType::kCreated, Named("a"));
    const bool in_time = pubsub->Stats("healthy")->late == 0;
    release.count_down();
    return in_time;
  }));
}

TEST_F(PubSubDeadline, WhoHasMissedItWithoutAThreadGetsOneAllTheSame) {
  SubscribeHanging(absl::Microseconds(1));
  pubsub_->Subscribe(
      "healthy", [](const PubSubEvent&) {}, nullptr, WithDeadline(absl::Microseconds(1)));
  pubsub_->Publish(EventType::kCreated, Named("a"));
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("healthy")->delivered == 1; }));
  EXPECT_EQ(pubsub_->Stats("hangs")->delivered, 0u);
}

TEST_F(PubSubDeadline, AnEventThatNobodyWaitsForReachesAll) {
  SubscribeHanging(absl::Seconds(60));
  pubsub_->Subscribe("healthy", [](const PubSubEvent&) {});
  {
    const GadgetPubSub::Ticket ticket =
        pubsub_->Enqueue({EventType::kCreated, Named("a"), nullptr, absl::Now()});
    EXPECT_TRUE(ticket);
  }
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("healthy")->delivered == 1; }));
  EXPECT_EQ(pubsub_->TotalStats().late, 0u);
}

TEST_F(PubSubDeadline, ATicketMovesAndIsGoodForOneWait) {
  int calls = 0;
  pubsub_->Subscribe("k", [&](const PubSubEvent&) { ++calls; });
  GadgetPubSub::Ticket none;
  EXPECT_FALSE(none);
  none.Await();
  GadgetPubSub::Ticket first =
      pubsub_->Enqueue({EventType::kCreated, Named("a"), nullptr, absl::Now()});
  none = std::move(first);
  const GadgetPubSub::Ticket moved(std::move(none));
  EXPECT_TRUE(moved);
  GadgetPubSub::Ticket second =
      pubsub_->Enqueue({EventType::kCreated, Named("b"), nullptr, absl::Now()});
  second.Await();
  EXPECT_FALSE(second);
  second.Await();
  EXPECT_EQ(calls, 2);
}

TEST_F(PubSubDeadline, WithoutAThreadToBeHadAPublisherWaitsForTheDeadlineAndNothingIsLost) {
  std::vector<std::string> seen;
  pubsub_->Subscribe(
      "k", [&](const PubSubEvent& event) { seen.push_back(event.container->runtime.container_id); },
      nullptr, WithDeadline(absl::Milliseconds(20)));
  {
    const NoThreads no_threads;
    const absl::Time begin = absl::Now();
    pubsub_->Publish(EventType::kCreated, Named("a"));
    EXPECT_GE(absl::Now() - begin, absl::Milliseconds(20));
    pubsub_->Publish(EventType::kCreated, Named("b"));
    EXPECT_EQ(pubsub_->Stats("k")->late, 2u);
    EXPECT_EQ(pubsub_->Stats("k")->queued, 2u);
  }
  pubsub_->Publish(EventType::kCreated, Named("c"));
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("k")->delivered == 3; }));
  pubsub_->Unsubscribe("k");
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
}

TEST_F(PubSubDeadline, WithoutASecondThreadAHangingSubscriberIsStillBounded) {
  SubscribeHanging(absl::Milliseconds(20));
  pubsub_->Subscribe(
      "healthy", [](const PubSubEvent&) {}, nullptr, WithDeadline(absl::Milliseconds(20)));
  pubsub_->Subscribe("quick", [](const PubSubEvent&) {});
  // The first thread is there.
  pubsub_->Subscribe("hangs", [](const PubSubEvent&) {});
  pubsub_->Publish(EventType::kCreated, Named("a"));
  SubscribeHanging(absl::Milliseconds(20));
  {
    const NoThreads no_threads;
    const absl::Time begin = absl::Now();
    pubsub_->Publish(EventType::kCreated, Named("b"));
    EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
  }
  Release();
  EXPECT_TRUE(Eventually([&] { return pubsub_->TotalStats().delivered == 6; }));
}

TEST_F(PubSubDeadline, AFilterThatThrowsCostsItsSubscriberTheEvent) {
  SubscriptionOptions options;
  options.filter = [](const PubSubEvent& event) -> std::optional<EventType> {
    if (event.container->runtime.container_id == "bad") throw std::runtime_error("boom");
    return event.type;
  };
  int picky = 0;
  int all = 0;
  pubsub_->Subscribe(
      "picky", [&](const PubSubEvent&) { ++picky; }, nullptr, options);
  pubsub_->Subscribe("all", [&](const PubSubEvent&) { ++all; });
  pubsub_->Publish(EventType::kCreated, Named("bad"));
  EXPECT_EQ(picky, 0);
  EXPECT_EQ(all, 1);
  EXPECT_EQ(pubsub_->Stats("picky")->threw, 1u);
  pubsub_->Publish(EventType::kCreated, Named("good"));
  EXPECT_EQ(picky, 1);
  EXPECT_EQ(all, 2);
  EXPECT_EQ(pubsub_->TotalStats().late, 0u);
}

TEST_F(PubSubDeadline, AnInitialiserThatThrowsChangesNothing) {
  int old_calls = 0;
  pubsub_->Subscribe("k", [&](const PubSubEvent&) { ++old_calls; });
  EXPECT_THROW(
      pubsub_->Subscribe(
          "k", [](const PubSubEvent&) { ADD_FAILURE(); }, [] { throw std::runtime_error("boom"); }),
      std::runtime_error);
  EXPECT_THROW(pubsub_->Subscribe(
                   "new", [](const PubSubEvent&) { ADD_FAILURE(); },
                   [] { throw std::runtime_error("boom"); }),
               std::runtime_error);
  pubsub_->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(old_calls, 1);
  EXPECT_FALSE(pubsub_->Stats("new").has_value());
}

// Worth the most under -fsanitize=thread.
TEST(TwoPubSubs, ACallbackOfOneMayPublishInTheOther) {
  const auto one = NewGadgetPubSub();
  const auto other = NewGadgetPubSub();
  const SubscriptionOptions patient = WithDeadline(absl::Seconds(60));
  // A call that takes its time, so that the one that waits for it sleeps.
  other->Subscribe(
      "slow", [](const PubSubEvent&) { absl::SleepFor(absl::Milliseconds(2)); }, nullptr, patient);
  one->Subscribe(
      "crosses", [&](const PubSubEvent& event) { other->Publish(event.type, event.container); },
      nullptr, patient);
  one->Subscribe(
      "stays",
      [&](const PubSubEvent& event) {
        if (event.type == EventType::kCreated) one->Publish(EventType::kUpdated, event.container);
      },
      nullptr, patient);
  for (int i = 0; i < 10; ++i) one->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(one->TotalStats().late, 0u);
  EXPECT_EQ(other->TotalStats().late, 0u);
  EXPECT_TRUE(Eventually([&] { return one->TotalStats().delivered == 40; }));
}

}  // namespace
}  // namespace roster
