// Subscribers without a deadline: called by who publishes.
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

// Whether that thread of this process waits in the kernel.
bool Sleeps(pid_t thread) {
  std::ifstream file(absl::StrCat("/proc/self/task/", thread, "/stat"));
  std::string stat;
  std::getline(file, stat);
  const size_t name_ends = stat.rfind(") ");
  return name_ends != std::string::npos && stat[name_ends + 2] == 'S';
}

class PubSubUnlimited : public ::testing::Test {
 protected:
  void Subscribe(const std::string& key, FuncNotify callback) {
    pubsub_->Subscribe(key, std::move(callback), nullptr, WithDeadline(absl::InfiniteDuration()));
  }
  void Publish(const char* id) { pubsub_->Publish(EventType::kCreated, Named(id)); }
  GadgetPubSub::Ticket Enqueue(const char* id) {
    return pubsub_->Enqueue({EventType::kCreated, Named(id), nullptr, absl::Now()});
  }

  const std::unique_ptr<GadgetPubSub> pubsub_ = NewGadgetPubSub();
};

TEST_F(PubSubUnlimited, AreCalledOnThePublishersThreadInTheOrderOfSubscribing) {
  std::vector<std::string> calls;
  for (const char* key : {"a", "b", "c"}) {
    Subscribe(key, [&, me = std::this_thread::get_id(), key](const PubSubEvent& event) {
      EXPECT_EQ(std::this_thread::get_id(), me);
      calls.push_back(key + event.container->runtime.container_id);
    });
  }
  Publish("1");
  Publish("2");
  EXPECT_THAT(calls, ElementsAre("a1", "b1", "c1", "a2", "b2", "c2"));
  EXPECT_EQ(pubsub_->TotalStats().delivered, 6u);
  EXPECT_EQ(pubsub_->TotalStats().queued, 0u);
}

TEST_F(PubSubUnlimited, OneThatThrowsIsCountedAndCalledAgain) {
  int calls = 0;
  Subscribe("throws", [&](const PubSubEvent&) {
    ++calls;
    throw std::runtime_error("boom");
  });
  Publish("a");
  Publish("b");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(pubsub_->Stats("throws")->threw, 2u);
}

TEST_F(PubSubUnlimited, AnEventThatNobodyWaitsForReachesThem) {
  std::latch told(1);
  Subscribe("k", [&](const PubSubEvent&) { told.count_down(); });
  { const GadgetPubSub::Ticket given_back = Enqueue("a"); }
  told.wait();
}

TEST_F(PubSubUnlimited, WhoWaitsForALaterEventDeliversTheEarlierOneFirst) {
  std::vector<std::string> calls;
  Subscribe("k", [&](const PubSubEvent& event) {
    calls.push_back(event.container->runtime.container_id);
  });
  GadgetPubSub::Ticket first = Enqueue("first");
  Enqueue("second").Await();
  EXPECT_THAT(calls, ElementsAre("first", "second"));
  first.Await();
  EXPECT_THAT(calls, ElementsAre("first", "second"));
}

TEST_F(PubSubUnlimited, OneThatHangsKeepsNobodyElseFromBeingCalled) {
  // As many with a deadline as could stand in one another's way, one of which hangs too.
  std::latch release(1), healthy(3);
  Subscribe("hangs without", [&](const PubSubEvent&) { release.wait(); });
  const auto limited = [&](const std::string& key, FuncNotify callback) {
    pubsub_->Subscribe(key, std::move(callback), nullptr, WithDeadline(absl::Milliseconds(1)));
  };
  limited("hangs", [&](const PubSubEvent&) { release.wait(); });
  for (int i = 0; i < 3; ++i) {
    limited(absl::StrCat("healthy", i), [&](const PubSubEvent&) { healthy.count_down(); });
  }
  std::thread publisher([&] { Publish("a"); });
  healthy.wait();
  release.count_down();
  publisher.join();
  EXPECT_TRUE(Eventually([&] { return pubsub_->TotalStats().delivered == 5; }));
}

TEST_F(PubSubUnlimited, WhileOneIsCalledAnotherPublishersEventReachesTheOthers) {
  std::latch begun(1), release(1);
  std::atomic<int> calls{0};
  Subscribe("slow", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id != "first") return;
    begun.count_down();
    release.wait();
  });
  std::thread first([&] { Publish("first"); });
  begun.wait();
  Subscribe("other", [&](const PubSubEvent&) { ++calls; });
  std::thread second([&] { Publish("second"); });
  EXPECT_TRUE(Eventually([&] { return calls == 1; }));
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 0u);
  release.count_down();
  first.join();
  second.join();
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 2u);
}

TEST_F(PubSubUnlimited, TwoPublishersNeedNoFurtherThread) {
  std::latch begun(1), release(1), go(1);
  Subscribe("slow", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id != "first") return;
    begun.count_down();
    release.wait();
  });
  std::thread first([&] {
    go.wait();
    Publish("first");
  });
  std::atomic<pid_t> waiter{0};
  std::thread second([&] {
    begun.wait();
    waiter = gettid();
    Publish("second");
  });
  const NoThreads no_threads;
  go.count_down();
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->queued == 1 && Sleeps(waiter); }));
  release.count_down();
  first.join();
  second.join();
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 2u);
}

// The reviewed case: its publisher sleeps, and who called it has gone on to one that hangs.
TEST_F(PubSubUnlimited, AreCalledByTheirPublisherWhenAWorkerHasLeftThem) {
  std::latch begun(1), release(1), hang(1), go(1);
  Subscribe("slow", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id != "first") return;
    begun.count_down();
    release.wait();
  });
  // On the one worker there is, after "slow".
  SubscriptionOptions options = WithDeadline(absl::Milliseconds(1));
  options.filter = [](const PubSubEvent& event) -> std::optional<EventType> {
    if (event.container->runtime.container_id == "second") return std::nullopt;
    return event.type;
  };
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent& event) {
        if (event.container->runtime.container_id == "first") hang.wait();
      },
      nullptr, options);
  pubsub_->Publish(EventType::kDeleted, Named("warm-up"));  // makes the worker
  std::atomic<pid_t> waiter{0};
  std::thread first([&] { Publish("first"); });
  std::thread second([&] {
    go.wait();
    waiter = gettid();
    Publish("second");
  });
  {
    const NoThreads no_threads;
    begun.wait();
    go.count_down();
    EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->queued == 1 && Sleeps(waiter); }));
    release.count_down();
    second.join();
  }
  EXPECT_GE(pubsub_->Stats("slow")->delivered, 3u);
  hang.count_down();
  first.join();
  pubsub_->Unsubscribe("hangs");  // may have been called only now
}

TEST_F(PubSubUnlimited, WhoHasMissedItsDeadlineMeanwhileIsNotWaitedForAfterwards) {
  std::latch begun(1), release(1);
  // Comes to its end only when the publisher has called for a second thread.
  Subscribe("slow", [&](const PubSubEvent&) { begun.wait(); });
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent&) {
        begun.count_down();
        release.wait();
      },
      nullptr, WithDeadline(absl::Milliseconds(1)));
  Publish("a");
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 1u);
  EXPECT_EQ(pubsub_->Stats("hangs")->late, 1u);
  release.count_down();
  pubsub_->Unsubscribe("hangs");
}

TEST_F(PubSubUnlimited, AnEventThatIsGivenBackWhileItsSubscriberIsCalledComesAfterwards) {
  std::latch begun(1), release(1), hang(1);
  Subscribe("slow", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id != "first") return;
    begun.count_down();
    release.wait();
  });
  SubscriptionOptions options = WithDeadline(absl::InfiniteDuration());
  options.filter = [](const PubSubEvent& event) -> std::optional<EventType> {
    if (event.container->runtime.container_id != "first") return std::nullopt;
    return event.type;
  };
  pubsub_->Subscribe(
      "hangs", [&](const PubSubEvent&) { hang.wait(); }, nullptr, options);
  std::thread publisher([&] { Publish("first"); });
  begun.wait();
  { const GadgetPubSub::Ticket given_back = Enqueue("second"); }
  release.count_down();
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->delivered == 2; }));
  hang.count_down();
  publisher.join();
}

TEST_F(PubSubUnlimited, AReplacedOneHasReturnedWhenSubscribeReturns) {
  std::latch begun(1), release(1);
  std::atomic<bool> returned{false};
  Subscribe("k", [&](const PubSubEvent&) {
    begun.count_down();
    release.wait();
    returned = true;
  });
  std::thread publisher([&] { Publish("a"); });
  begun.wait();
  std::thread releaser([&] {
    // The new one is there, with nothing delivered and nothing queued.
    EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("k")->queued == 0; }));
    release.count_down();
  });
  Subscribe("k", [](const PubSubEvent&) {});
  EXPECT_TRUE(returned);
  releaser.join();
  publisher.join();
}

TEST_F(PubSubUnlimited, AreKnownAsTheCallerAlsoThroughAnotherPubSub) {
  const auto other = NewGadgetPubSub();
  other->Subscribe(
      "back", [&](const PubSubEvent&) { pubsub_->Unsubscribe("k"); }, nullptr,
      WithDeadline(absl::InfiniteDuration()));
  Subscribe(
      "k", [&](const PubSubEvent& event) { other->Publish(EventType::kCreated, event.container); });
  Publish("a");
  EXPECT_FALSE(pubsub_->Stats("k").has_value());
}

TEST_F(PubSubUnlimited, MayUnsubscribeItselfAndPublishFromInsideTheCall) {
  std::vector<std::string> inner;
  Subscribe("other", [&](const PubSubEvent& event) {
    inner.push_back(event.container->runtime.container_id);
  });
  Subscribe("k", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id == "inner") return;
    Publish("inner");
    EXPECT_THAT(inner, ElementsAre("outer", "inner"));
    pubsub_->Unsubscribe("k");
  });
  Publish("outer");
  EXPECT_FALSE(pubsub_->Stats("k").has_value());
  Publish("after");
  EXPECT_THAT(inner, ElementsAre("outer", "inner", "after"));
}

TEST_F(PubSubUnlimited, UnsubscribeWaitsForTheCallOnThePublishersThread) {
  std::latch begun(1), release(1);
  std::atomic<bool> returned{false};
  Subscribe("k", [&](const PubSubEvent&) {
    begun.count_down();
    release.wait();
    returned = true;
  });
  std::thread publisher([&] { Publish("a"); });
  begun.wait();
  std::thread releaser([&] {
    EXPECT_TRUE(Eventually([&] { return !pubsub_->Stats("k").has_value(); }));
    release.count_down();
  });
  pubsub_->Unsubscribe("k");
  EXPECT_TRUE(returned);
  releaser.join();
  publisher.join();
}

TEST_F(PubSubUnlimited, MayPublishInAnotherPubSubWithoutForgettingWhoseCallItIs) {
  const auto other = NewGadgetPubSub();
  int told = 0;
  other->Subscribe(
      "k", [&](const PubSubEvent&) { ++told; }, nullptr, WithDeadline(absl::InfiniteDuration()));
  Subscribe("k", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id == "inner") return;
    other->Publish(EventType::kCreated, event.container);
    // Would wait for itself, were it not known to be the caller.
    Publish("inner");
  });
  Publish("outer");
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("k")->delivered == 2; }));
}

TEST_F(PubSubUnlimited, ManyPublishersBesideSubscribersWithDeadlinesKeepTheOrder) {
  constexpr int kPublishers = 4;
  constexpr int kEvents = 500;
  constexpr int kSubscribers = 4;
  using Seen = std::array<std::vector<int>, kPublishers>;
  std::array<Seen, kSubscribers> seen;
  for (int s = 0; s < kSubscribers; ++s) {
    pubsub_->Subscribe(
        absl::StrCat("s", s),
        [&seen = seen[s]](const PubSubEvent& event) {
          seen[event.container->mntns].push_back(static_cast<int>(event.container->netns));
        },
        nullptr, WithDeadline(s % 2 == 0 ? absl::InfiniteDuration() : absl::Seconds(60)));
  }
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      for (int i = 0; i < kEvents; ++i) {
        auto c = std::make_shared<Container>();
        c->mntns = p;
        c->netns = i;
        pubsub_->Publish(EventType::kCreated, c);
        // What was published has been dealt with.
        for (const Seen& of_one : seen) ASSERT_EQ(of_one[p].size(), static_cast<size_t>(i + 1));
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (const Seen& of_one : seen) {
    for (const std::vector<int>& events : of_one) {
      ASSERT_EQ(events.size(), static_cast<size_t>(kEvents));
      for (int i = 0; i < kEvents; ++i) EXPECT_EQ(events[i], i);
    }
  }
}

}  // namespace
}  // namespace roster
