// How subscriptions end: what is waited for, and what is destroyed where.
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "pubsub_fixture.h"
#include "roster/collection.h"
#include "roster/pubsub.h"

namespace roster {
namespace {

// Calls when the last callback that it was given to has been destroyed.
std::shared_ptr<void> AtTheEnd(std::function<void()> call) {
  return {nullptr, [call = std::move(call)](void*) { call(); }};
}

class PubSubEnd : public ::testing::Test {
 protected:
  // A subscriber whose callback's destructor does what would wait for the publisher's lock.
  FuncNotify Reentrant(std::function<void()> body = nullptr) {
    return [body = std::move(body), end = AtTheEnd([this] {
                                      static_cast<void>(pubsub_->TotalStats());
                                      pubsub_->Unsubscribe("other");
                                      ++destroyed_;
                                    })](const PubSubEvent&) {
      if (body) body();
    };
  }

  std::unique_ptr<GadgetPubSub> pubsub_ = NewGadgetPubSub();
  std::atomic<int> destroyed_{0};
};

TEST_F(PubSubEnd, ACallbacksDestructorMayCallBackWhenItIsUnsubscribed) {
  pubsub_->Subscribe("k", Reentrant());
  pubsub_->Publish(EventType::kCreated, Named("a"));
  pubsub_->Unsubscribe("k");
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(PubSubEnd, ACallbacksDestructorMayCallBackWhenItIsReplaced) {
  pubsub_->Subscribe("k", Reentrant());
  pubsub_->Subscribe("k", [](const PubSubEvent&) {});
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(PubSubEnd, ACallbacksDestructorMayCallBackWhenItUnsubscribesItself) {
  pubsub_->Subscribe("k", Reentrant([this] { pubsub_->Unsubscribe("k"); }));
  pubsub_->Publish(EventType::kCreated, Named("a"));
  pubsub_->Unsubscribe("k");
  EXPECT_EQ(destroyed_, 1) << "after Unsubscribe it is gone, whoever ran it";
}

TEST_F(PubSubEnd, AFiltersDestructorMayCallBack) {
  SubscriptionOptions options;
  options.filter = [end = AtTheEnd([this] {
                      static_cast<void>(pubsub_->TotalStats());
                      ++destroyed_;
                    })](const PubSubEvent& event) { return std::optional(event.type); };
  pubsub_->Subscribe(
      "k", [](const PubSubEvent&) {}, nullptr, std::move(options));
  pubsub_->Unsubscribe("k");
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(PubSubEnd, ACallbacksDestructorMayCallBackWhenAllEnd) {
  GadgetPubSub* const pubsub = pubsub_.get();
  pubsub_->Subscribe("k", [end = AtTheEnd([pubsub, this] {
                             static_cast<void>(pubsub->TotalStats());
                             ++destroyed_;
                           })](const PubSubEvent&) {});
  pubsub_.reset();
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(PubSubEnd, AnUndeliveredContainersDestructorMayCallBack) {
  std::latch begun(1), release(1);
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent&) {
        begun.count_down();
        release.wait();
      },
      nullptr, WithDeadline(absl::Milliseconds(1)));
  pubsub_->Publish(EventType::kCreated, Named("a"));
  begun.wait();
  for (int i = 0; i < 3; ++i) {
    pubsub_->Publish(EventType::kCreated,
                     ContainerPtr(new Container, [this](const Container* container) {
                       static_cast<void>(pubsub_->TotalStats());
                       ++destroyed_;
                       delete container;
                     }));
  }
  EXPECT_EQ(destroyed_, 0);
  EXPECT_EQ(pubsub_->TotalStats().queued, 3u);
  std::thread ender([&] { pubsub_->Unsubscribe("hangs"); });
  EXPECT_TRUE(Eventually([&] { return !pubsub_->Stats("hangs").has_value(); }));
  release.count_down();
  ender.join();
  EXPECT_EQ(destroyed_, 3);
  EXPECT_EQ(pubsub_->TotalStats().queued, 0u) << "nobody waits for these any more";
}

TEST_F(PubSubEnd, AContainerIsNobodysWhenAllHaveBeenTold) {
  pubsub_->Subscribe("a", [](const PubSubEvent&) {});
  pubsub_->Subscribe(
      "b", [](const PubSubEvent&) {}, nullptr, WithDeadline(absl::Seconds(60)));
  const ContainerPtr container = Named("a");
  for (int i = 0; i < 1000; ++i) pubsub_->Publish(EventType::kCreated, container);
  EXPECT_TRUE(Eventually([&] { return container.use_count() == 1; }));
}

TEST(PubSub, UnsubscribeWaitsForARunningCall) {
  const auto pubsub = NewGadgetPubSub();
  std::latch begun(1);
  std::atomic<bool> ended{false};
  SubscriptionOptions options;
  options.deadline = absl::Milliseconds(1);
  pubsub->Subscribe(
      "k",
      [&](const PubSubEvent&) {
        begun.count_down();
        // Not a wait for something: a call that takes its time.
        absl::SleepFor(absl::Milliseconds(30));
        ended = true;
      },
      nullptr, options);
  std::thread publisher([&] { pubsub->Publish(EventType::kCreated, Named("a")); });
  begun.wait();
  pubsub->Unsubscribe("k");
  EXPECT_TRUE(ended);
  publisher.join();
  const auto before = pubsub->TotalStats().delivered;
  pubsub->Publish(EventType::kCreated, Named("b"));
  EXPECT_EQ(pubsub->TotalStats().delivered, before);
}

// A call that goes on for a while after it has unsubscribed itself.
class SelfUnsubscribed : public PubSubEnd {
 protected:
  FuncNotify Callback() {
    return [this](const PubSubEvent&) {
      pubsub_->Unsubscribe("k");
      unsubscribed_.count_down();
      // Not a wait for something: a call that takes its time.
      absl::SleepFor(absl::Milliseconds(50));
      ended_ = true;
    };
  }
  void Begin() {
    pubsub_->Subscribe("k", Callback(), nullptr, WithDeadline(absl::Milliseconds(1)));
    pubsub_->Publish(EventType::kCreated, Named("a"));
    unsubscribed_.wait();
  }

  std::latch unsubscribed_{1};
  std::atomic<bool> ended_{false};
};

TEST_F(SelfUnsubscribed, IsWaitedForByTheNextUnsubscribe) {
  Begin();
  pubsub_->Unsubscribe("k");
  EXPECT_TRUE(ended_);
}

TEST_F(SelfUnsubscribed, IsWaitedForByWhoTakesTheKey) {
  Begin();
  pubsub_->Subscribe("k", [](const PubSubEvent&) {});
  EXPECT_TRUE(ended_);
}

TEST_F(SelfUnsubscribed, IsNotWaitedForUnderAnotherKey) {
  std::latch release(1);
  pubsub_->Subscribe(
      "hangs",
      [&](const PubSubEvent&) {
        pubsub_->Unsubscribe("hangs");
        unsubscribed_.count_down();
        release.wait();
      },
      nullptr, WithDeadline(absl::Milliseconds(1)));
  pubsub_->Publish(EventType::kCreated, Named("a"));
  unsubscribed_.wait();
  pubsub_->Unsubscribe("other");
  pubsub_->Subscribe("other", [](const PubSubEvent&) {});
  release.count_down();
  pubsub_->Unsubscribe("hangs");
}

TEST_F(SelfUnsubscribed, IsWaitedForByTheDestructor) {
  Begin();
  pubsub_.reset();
  EXPECT_TRUE(ended_);
}

TEST_F(PubSubEnd, CallbacksThatEndOneAnotherDoNotWaitForEver) {
  std::latch both(2);
  for (const auto& [mine, other] : {std::pair("a", "b"), std::pair("b", "a")}) {
    pubsub_->Subscribe(
        mine,
        [&, other = other](const PubSubEvent&) {
          both.arrive_and_wait();
          pubsub_->Unsubscribe(other);
        },
        nullptr, WithDeadline(absl::Seconds(60)));
  }
  pubsub_->Publish(EventType::kCreated, Named("a"));
  EXPECT_EQ(pubsub_->TotalStats().delivered, 2u);
  EXPECT_EQ(pubsub_->TotalStats().late, 0u);
}

// The same through the collection, which has a lock of its own.
TEST(CollectionEnd, ACallbacksDestructorMayCallBackWhenItIsReplacedOrUnsubscribed) {
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize(WithPubSub()).ok());
  int destroyed = 0;
  const auto reentrant = [&] {
    return [end = AtTheEnd([&] {
              EXPECT_TRUE(collection.Unsubscribe("other").ok());
              ++destroyed;
            })](const PubSubEvent&) {};
  };
  ASSERT_TRUE(collection.Subscribe("k", {}, reentrant()).ok());
  ASSERT_TRUE(collection.Subscribe("k", {}, reentrant()).ok());
  EXPECT_EQ(destroyed, 1);
  ASSERT_TRUE(collection.Unsubscribe("k").ok());
  EXPECT_EQ(destroyed, 2);
}

Container WithId(std::string id) {
  Container container;
  container.runtime.container_id = std::move(id);
  return container;
}

// `leave` is called from inside a callback that goes on for a while.
void ExpectCloseToWaitAfter(const std::function<void(ContainerCollection&)>& leave) {
  std::latch left(1);
  std::atomic<bool> ended{false};
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize(WithPubSub()).ok());
  ASSERT_TRUE(collection
                  .Subscribe(
                      "k", {},
                      [&](const PubSubEvent&) {
                        leave(collection);
                        left.count_down();
                        absl::SleepFor(absl::Milliseconds(50));
                        ended = true;
                      },
                      WithDeadline(absl::Milliseconds(1)))
                  .ok());
  ASSERT_TRUE(collection.AddContainer(WithId("a")).ok());
  left.wait();
  collection.Close();
  EXPECT_TRUE(ended);
}

TEST(CollectionEnd, CloseWaitsForACallThatHasUnsubscribedItself) {
  ExpectCloseToWaitAfter([](ContainerCollection& c) { EXPECT_TRUE(c.Unsubscribe("k").ok()); });
}

TEST(CollectionEnd, CloseWaitsForACallThatHasClosedTheCollection) {
  ExpectCloseToWaitAfter([](ContainerCollection& c) { c.Close(); });
}

}  // namespace
}  // namespace roster
