#include "tracker/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "tracker/worker.h"

namespace roster {
namespace {

std::unique_ptr<EventLoop> MakeLoop() {
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  EXPECT_TRUE(loop.ok()) << loop.status();
  return *std::move(loop);
}

TEST(EventLoop, TimersRunInTheOrderOfTheirTimesNotOfTheirMaking) {
  auto loop = MakeLoop();
  std::vector<int> order;
  loop->RunAfter(absl::Milliseconds(20), [&] {
    order.push_back(2);
    loop->Stop();
  });
  loop->RunAfter(absl::Milliseconds(1), [&] { order.push_back(1); });
  ASSERT_TRUE(loop->Run().ok());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(EventLoop, WorkPostedFromAnotherThreadRunsOnTheLoop) {
  auto loop = MakeLoop();
  std::thread::id ran_on;
  std::thread other([&] {
    loop->Post([&] {
      ran_on = std::this_thread::get_id();
      loop->Stop();
    });
  });
  ASSERT_TRUE(loop->Run().ok());
  other.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, AWatcherThatUnwatchesAnotherOfTheSameBatchIsObeyed) {
  auto loop = MakeLoop();
  int a[2], b[2];
  ASSERT_EQ(pipe(a), 0);
  ASSERT_EQ(pipe(b), 0);
  const Fd closer[] = {Fd(a[0]), Fd(a[1]), Fd(b[0]), Fd(b[1])};
  int calls = 0;
  const auto on_readable = [&] {
    ++calls;
    loop->Unwatch(a[0]);
    loop->Unwatch(b[0]);
    loop->Stop();
  };
  ASSERT_TRUE(loop->Watch(a[0], on_readable).ok());
  ASSERT_TRUE(loop->Watch(b[0], on_readable).ok());
  ASSERT_EQ(write(a[1], "x", 1), 1);
  ASSERT_EQ(write(b[1], "x", 1), 1);
  ASSERT_TRUE(loop->Run().ok());
  EXPECT_EQ(calls, 1);
}

TEST(Worker, RunsItsWorkInOrder) {
  auto loop = MakeLoop();
  std::vector<int> order;
  Worker worker;
  for (int i = 0; i < 100; ++i) worker.Post([&order, i] { order.push_back(i); });
  worker.Post([&] { loop->Stop(); });
  ASSERT_TRUE(loop->Run().ok());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace roster
