// Subscribers without a deadline, beside others that hang and several publishers.
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"

namespace roster {
namespace {

// Whether that thread of this process waits in the kernel.
bool Sleeps(pid_t thread) {
  std::ifstream file(absl::StrCat("/proc/self/task/", thread, "/stat"));
  std::string stat;
  std::getline(file, stat);
  const size_t name_ends = stat.rfind(") ");
  return name_ends != std::string::npos && stat[name_ends + 2] == 'S';
}

// Only the events of those containers whose ids are `wanted`.
SubscriptionOptions Of(std::function<bool(const std::string& id)> wanted, absl::Duration deadline) {
  SubscriptionOptions options = WithDeadline(deadline);
  options.filter = [wanted = std::move(wanted)](const PubSubEvent& event) {
    return wanted(event.container->runtime.container_id) ? std::optional(event.type) : std::nullopt;
  };
  return options;
}

TEST_F(PubSubUnlimited, WhileOneIsCalledAnotherPublishersEventReachesTheOthers) {
  HeldAtFirst slow;
  std::atomic<int> calls{0};
  Subscribe("slow", std::ref(slow));
  std::thread first([&] { Publish("first"); });
  slow.begun.wait();
  Subscribe("other", [&](const PubSubEvent&) { ++calls; });
  std::thread second([&] { Publish("second"); });
  EXPECT_TRUE(Eventually([&] { return calls == 1; }));
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 0u);
  slow.release.count_down();
  first.join();
  second.join();
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 2u);
}

TEST_F(PubSubUnlimited, TwoPublishersNeedNoFurtherThread) {
  HeldAtFirst slow;
  std::latch go(1);
  Subscribe("slow", std::ref(slow));
  std::thread first([&] {
    go.wait();
    Publish("first");
  });
  std::atomic<pid_t> waiter{0};
  std::thread second([&] {
    slow.begun.wait();
    waiter = gettid();
    Publish("second");
  });
  const NoThreads no_threads;
  go.count_down();
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->queued == 1 && Sleeps(waiter); }));
  slow.release.count_down();
  first.join();
  second.join();
  EXPECT_EQ(pubsub_->Stats("slow")->delivered, 2u);
}

// Its publisher sleeps, and who called it has gone on to one that hangs.
TEST_F(PubSubUnlimited, AreCalledByTheirPublisherWhenAWorkerHasLeftThem) {
  HeldAtFirst slow;
  std::latch hang(1), go(1);
  Subscribe("slow", std::ref(slow));
  // On the one worker there is, after "slow".
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent& event) {
        if (event.container->runtime.container_id == "first") hang.wait();
      },
      nullptr, Of([](const std::string& id) { return id != "second"; }, absl::Milliseconds(1)));
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
    slow.begun.wait();
    go.count_down();
    EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->queued == 1 && Sleeps(waiter); }));
    slow.release.count_down();
    second.join();
  }
  EXPECT_GE(pubsub_->Stats("slow")->delivered, 3u);
  hang.count_down();
  first.join();
  pubsub_->Unsubscribe("hangs");  // may have been called only now
}

TEST_F(PubSubUnlimited, WhoHasMissedItsDeadlineMeanwhileIsNotWaitedForAfterwards) {
  HeldAtFirst slow;
  std::latch release(1);
  Subscribe("slow", std::ref(slow));
  pubsub_->Subscribe(
      "hangs", [&](const PubSubEvent&) { release.wait(); }, nullptr,
      WithDeadline(absl::Milliseconds(1)));
  std::atomic<pid_t> waiter{0};
  std::thread publisher([&] {
    waiter = gettid();
    Publish("first");
  });
  slow.begun.wait();
  // Until it sleeps without an end, because of "slow": its patience is shorter than the deadline.
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(
      Eventually([&] { return absl::Now() - begin > absl::Milliseconds(20) && Sleeps(waiter); }));
  slow.release.count_down();
  publisher.join();
  EXPECT_EQ(pubsub_->Stats("hangs")->late, 1u);
  release.count_down();
  pubsub_->Unsubscribe("hangs");
}

TEST_F(PubSubUnlimited, OneWhoseTicketIsKeptTakesNobodysThread) {
  HeldAtFirst slow;
  std::latch hang(1);
  pubsub_->Subscribe(
      "slow", std::ref(slow), nullptr,
      Of([](const std::string& id) { return id != "third"; }, absl::Milliseconds(1)));
  pubsub_->Subscribe(
      "hangs", [&](const PubSubEvent&) { hang.wait(); }, nullptr,
      Of([](const std::string& id) { return id == "third"; }, absl::InfiniteDuration()));
  Publish("first");  // returns at the deadline
  slow.begun.wait();
  Publish("second");
  GadgetPubSub::Ticket kept = Enqueue("third");
  slow.release.count_down();
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->delivered == 2; }));
  hang.count_down();
  kept.Await();
}

TEST_F(PubSubUnlimited, AnEventThatIsGivenBackWhileItsSubscriberIsCalledComesAfterwards) {
  HeldAtFirst slow;
  std::latch hang(1);
  Subscribe("slow", std::ref(slow));
  pubsub_->Subscribe(
      "hangs", [&](const PubSubEvent&) { hang.wait(); }, nullptr,
      Of([](const std::string& id) { return id == "first"; }, absl::InfiniteDuration()));
  std::thread publisher([&] { Publish("first"); });
  slow.begun.wait();
  { const GadgetPubSub::Ticket given_back = Enqueue("second"); }
  slow.release.count_down();
  EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("slow")->delivered == 2; }));
  hang.count_down();
  publisher.join();
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

TEST_F(PubSubUnlimited, ManyPublishersBesideSubscribersWithDeadlinesKeepTheOrder) {
  constexpr int kPublishers = 4;
  constexpr int kEvents = 500;
  constexpr int kSubscribers = 4;
  std::vector<Seen> seen(kSubscribers, Seen(kPublishers));
  for (int s = 0; s < kSubscribers; ++s) {
    pubsub_->Subscribe(absl::StrCat("s", s), NoteIn(&seen[s]), nullptr,
                       WithDeadline(s % 2 == 0 ? absl::InfiniteDuration() : absl::Seconds(60)));
  }
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      for (int i = 0; i < kEvents; ++i) {
        pubsub_->Publish(EventType::kCreated, Numbered(p, i));
        // What was published has been dealt with.
        for (const Seen& of_one : seen) ASSERT_EQ(of_one[p].size(), static_cast<size_t>(i + 1));
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (const Seen& of_one : seen) ExpectAllInOrder(of_one, kEvents);
}

}  // namespace
}  // namespace roster
