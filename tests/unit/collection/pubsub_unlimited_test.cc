// Subscribers without a deadline: called by who publishes.
#include <functional>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

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

TEST_F(PubSubUnlimited, AReplacedOneHasReturnedWhenSubscribeReturns) {
  HeldAtFirst slow;
  Subscribe("k", std::ref(slow));
  std::thread publisher([&] { Publish("first"); });
  slow.begun.wait();
  std::thread releaser([&] {
    // The new one is there, with nothing delivered and nothing queued.
    EXPECT_TRUE(Eventually([&] { return pubsub_->Stats("k")->queued == 0; }));
    slow.release.count_down();
  });
  Subscribe("k", [](const PubSubEvent&) {});
  EXPECT_TRUE(slow.returned);
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
  HeldAtFirst slow;
  Subscribe("k", std::ref(slow));
  std::thread publisher([&] { Publish("first"); });
  slow.begun.wait();
  std::thread releaser([&] {
    EXPECT_TRUE(Eventually([&] { return !pubsub_->Stats("k").has_value(); }));
    slow.release.count_down();
  });
  pubsub_->Unsubscribe("k");
  EXPECT_TRUE(slow.returned);
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

}  // namespace
}  // namespace roster
