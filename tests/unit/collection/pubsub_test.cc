#include "roster/pubsub.h"

#include <atomic>
#include <latch>
#include <mutex>
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

TEST(EventType, HasTheReferencesTextsAndNumbers) {
  const std::vector<std::pair<EventType, std::string>> table = {
      {EventType::kCreated, "CREATED"},
      {EventType::kDeleted, "DELETED"},
      {EventType::kPreCreate, "PRECREATE"},
      {EventType::kUpdated, "UPDATED"}};
  for (size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(table[i].first), i);
    EXPECT_EQ(EventTypeName(table[i].first), table[i].second);
    EXPECT_EQ(EventTypeFromString(table[i].second), table[i].first);
  }
  EXPECT_EQ(EventTypeFromString("deleted"), EventType::kCreated);
  EXPECT_EQ(EventTypeFromString(""), EventType::kCreated);
}

TEST(PubSub, PublishReturnsWhenSubscribersHaveRun) {
  const auto pubsub = NewGadgetPubSub();
  int calls = 0;
  ContainerPtr seen;
  pubsub->Subscribe("k", [&](const PubSubEvent& event) {
    ++calls;
    seen = event.container;
    EXPECT_EQ(event.type, EventType::kDeleted);
    EXPECT_LT(absl::Now() - event.timestamp, absl::Seconds(10));
  });
  const ContainerPtr container = Named("a");
  pubsub->Publish(EventType::kDeleted, container);
  EXPECT_EQ(calls, 1);
  // The very container, not a copy of it.
  EXPECT_EQ(seen, container);
  EXPECT_EQ(pubsub->Stats("k")->delivered, 1u);
  EXPECT_FALSE(pubsub->Stats("other").has_value());
}

TEST(PubSub, PublishWithoutSubscribersReturns) {
  NewGadgetPubSub()->Publish(EventType::kCreated, Named("a"));
}

TEST(PubSub, TheInitialiserRunsBeforeAnyEvent) {
  const auto pubsub = NewGadgetPubSub();
  std::atomic<bool> initialised{false};
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    while (!stop) pubsub->Publish(EventType::kCreated, Named("a"));
  });
  for (int i = 0; i < 200; ++i) {
    initialised = false;
    pubsub->Subscribe(
        "k", [&](const PubSubEvent&) { EXPECT_TRUE(initialised); }, [&] { initialised = true; });
    pubsub->Unsubscribe("k");
  }
  stop = true;
  publisher.join();
}

TEST(PubSub, TheSameKeyReplaces) {
  const auto pubsub = NewGadgetPubSub();
  std::vector<std::string> calls;
  pubsub->Subscribe("k", [&](const PubSubEvent&) { calls.push_back("old"); });
  pubsub->Subscribe("k", [&](const PubSubEvent&) { calls.push_back("new"); });
  pubsub->Publish(EventType::kCreated, Named("a"));
  EXPECT_THAT(calls, ElementsAre("new"));
}

TEST(PubSub, ATicketThatIsAssignedGivesBackItsOwnEvent) {
  const auto pubsub = NewGadgetPubSub();
  pubsub->Subscribe("k", [](const PubSubEvent&) {});
  const auto enqueue = [&](const char* id) {
    return pubsub->Enqueue({EventType::kCreated, Named(id), nullptr, absl::Now()});
  };
  GadgetPubSub::Ticket ticket = enqueue("a");
  GadgetPubSub::Ticket other = enqueue("b");
  ticket = std::move(other);
  EXPECT_FALSE(other) << "nothing of a is left in it";
  GadgetPubSub::Ticket& same = ticket;
  ticket = std::move(same);
  ASSERT_TRUE(ticket);
  ticket.Await();
  EXPECT_FALSE(ticket);
  ticket.Await();
  EXPECT_EQ(pubsub->Stats("k")->delivered, 2u);
}

TEST(PubSub, ASubscriberThatThrowsIsCountedAndCalledAgain) {
  const auto pubsub = NewGadgetPubSub();
  int calls = 0;
  pubsub->Subscribe("throws", [&](const PubSubEvent&) {
    ++calls;
    throw std::runtime_error("boom");
  });
  pubsub->Publish(EventType::kCreated, Named("a"));
  pubsub->Publish(EventType::kCreated, Named("b"));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(pubsub->Stats("throws")->threw, 2u);
  EXPECT_EQ(pubsub->TotalStats().threw, 2u);
  pubsub->Unsubscribe("throws");
  EXPECT_EQ(pubsub->TotalStats().threw, 2u);
}

TEST(PubSub, SubscribersRunAtTheSameTime) {
  const auto pubsub = NewGadgetPubSub();
  constexpr int kSubscribers = 4;
  // Each waits until all have begun; one after the other they would wait for ever.
  std::latch all_have_begun(kSubscribers);
  SubscriptionOptions options;
  options.deadline = absl::Seconds(30);
  for (int i = 0; i < kSubscribers; ++i) {
    pubsub->Subscribe(
        absl::StrCat("k", i), [&](const PubSubEvent&) { all_have_begun.arrive_and_wait(); },
        nullptr, options);
  }
  pubsub->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(pubsub->TotalStats().delivered, static_cast<uint64_t>(kSubscribers));
  EXPECT_EQ(pubsub->TotalStats().late, 0u);
}

TEST(PubSub, UnsubscribeAndPublishFromInsideTheCallDoNotHang) {
  const auto pubsub = NewGadgetPubSub();
  std::vector<std::string> calls;
  pubsub->Subscribe("k", [&](const PubSubEvent& event) {
    calls.push_back(event.container->runtime.container_id);
    if (calls.size() == 1) pubsub->Publish(EventType::kCreated, Named("inner"));
    if (calls.size() == 2) pubsub->Unsubscribe("k");
  });
  const absl::Time begin = absl::Now();
  pubsub->Publish(EventType::kCreated, Named("outer"));
  pubsub->Publish(EventType::kCreated, Named("after"));
  EXPECT_LT(absl::Now() - begin, absl::Milliseconds(95)) << "nothing waits for a deadline";
  EXPECT_THAT(calls, ElementsAre("outer", "inner"));
  EXPECT_FALSE(pubsub->Stats("k").has_value());
}

TEST(PubSub, APublishFromInsideACallReachesTheOthersBeforeItReturns) {
  const auto pubsub = NewGadgetPubSub();
  std::atomic<bool> other_has_inner{false};
  bool seen_after_publish = false;
  pubsub->Subscribe("other", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id == "inner") other_has_inner = true;
  });
  pubsub->Subscribe("k", [&](const PubSubEvent& event) {
    if (event.container->runtime.container_id != "outer") return;
    pubsub->Publish(EventType::kCreated, Named("inner"));
    seen_after_publish = other_has_inner;
  });
  pubsub->Publish(EventType::kCreated, Named("outer"));
  EXPECT_TRUE(seen_after_publish);
}

TEST(PubSub, CallbacksThatPublishDoNotWaitForOneAnother) {
  const auto pubsub = NewGadgetPubSub();
  SubscriptionOptions options;
  options.deadline = absl::Seconds(20);
  std::latch both(2);
  for (const char* key : {"a", "b"}) {
    pubsub->Subscribe(
        key,
        [&](const PubSubEvent& event) {
          if (event.container->runtime.container_id != "outer") return;
          both.arrive_and_wait();
          pubsub->Publish(EventType::kUpdated, Named("inner"));
        },
        nullptr, options);
  }
  const absl::Time begin = absl::Now();
  pubsub->Publish(EventType::kCreated, Named("outer"));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  EXPECT_EQ(pubsub->TotalStats().late, 0u);
}

TEST(PubSub, ManyPublishersAndAChangingSetOfSubscribersKeepTheOrder) {
  const auto pubsub = NewGadgetPubSub();
  constexpr int kPublishers = 4;
  constexpr int kEvents = 500;
  Seen seen(kPublishers);
  SubscriptionOptions options;
  options.deadline = absl::Seconds(60);
  pubsub->Subscribe("all", NoteIn(&seen), nullptr, options);
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string key = absl::StrCat("k", i % 3);
      pubsub->Subscribe(
          key, [](const PubSubEvent&) {}, nullptr, options);
      pubsub->Unsubscribe(key);
    }
  });
  std::vector<std::thread> publishers;
  for (int p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      for (int i = 0; i < kEvents; ++i) {
        pubsub->Publish(EventType::kCreated, Numbered(p, i));
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  stop = true;
  changer.join();
  ExpectAllInOrder(seen, kEvents);
}

}  // namespace
}  // namespace roster
