#include "cli/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "daemon/grpc_server.h"
#include "daemon/unix_listener.h"
#include "unit/daemon/list_source.h"

namespace roster::cli {
namespace {

using ::testing::ElementsAre;

v1::Event MakeEvent(v1::Event::Type type, uint64_t handle, const std::string& id) {
  v1::Event event;
  event.set_type(type);
  event.mutable_container()->mutable_runtime()->set_container_id(id);
  event.mutable_container()->mutable_pinned()->set_handle(handle);
  return event;
}

class FollowerTest : public ::testing::Test {
 protected:
  std::vector<std::string> told_;
  Follower follower_{[this](std::string_view name, absl::Time, const Entry& entry) {
    told_.push_back(std::string(name) + " " + entry.container.runtime.container_id);
    return true;
  }};
  Entry Present(uint64_t handle, const std::string& id) {
    return EntryFromProto(MakeEvent(v1::Event::EXISTING, handle, id).container());
  }
};

TEST_F(FollowerTest, EventsAreToldAsTheyCome) {
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 1, "a"));
  follower_.OnEvent(MakeEvent(v1::Event::CREATED, 2, "b"));
  follower_.OnEvent(MakeEvent(v1::Event::UPDATED, 2, "b"));
  follower_.OnEvent(MakeEvent(v1::Event::DELETED, 1, "a"));
  EXPECT_THAT(told_, ElementsAre("EXISTING a", "CREATED b", "UPDATED b", "DELETED a"));
}

TEST_F(FollowerTest, WhatCameAndWentInAGapIsToldOnce) {
  for (auto [handle, id] : {std::pair<uint64_t, const char*>{1, "stays"}, {2, "goes"}}) {
    follower_.OnEvent(MakeEvent(v1::Event::EXISTING, handle, id));
  }
  told_.clear();
  follower_.Resume({Present(1, "stays"), Present(3, "comes")}, absl::UnixEpoch());
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 1, "stays"));
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 3, "comes"));
  EXPECT_THAT(told_, ElementsAre("DELETED goes", "CREATED comes"));
}

TEST_F(FollowerTest, ContainerThatEndsBetweenWatchAndListIsNotToldTwice) {
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 1, "a"));
  told_.clear();
  // The new watch began while it was there, the list was made when it was gone.
  follower_.Resume({}, absl::UnixEpoch());
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 1, "a"));
  follower_.OnEvent(MakeEvent(v1::Event::DELETED, 1, "a"));
  EXPECT_THAT(told_, ElementsAre("DELETED a"));
}

TEST_F(FollowerTest, ContainerThatHasEndedIsSaidToHaveEnded) {
  std::vector<std::string> states;
  Follower follower([&](std::string_view, absl::Time, const Entry& entry) {
    states.push_back(DisplayStatus(entry));
    return true;
  });
  follower.OnEvent(MakeEvent(v1::Event::PRECREATE, 0, "a"));
  follower.OnEvent(MakeEvent(v1::Event::CREATED, 1, "a"));
  follower.OnEvent(MakeEvent(v1::Event::DELETED, 1, "a"));
  follower.OnEvent(MakeEvent(v1::Event::CREATED, 2, "b"));
  follower.Resume({}, absl::UnixEpoch());
  EXPECT_THAT(states, ElementsAre("pending", "running", "ended", "running", "ended"));
}

TEST_F(FollowerTest, SameIdUnderAnotherHandleIsAnotherContainer) {
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 1, "a"));
  told_.clear();
  follower_.Resume({Present(2, "a")}, absl::UnixEpoch());
  follower_.OnEvent(MakeEvent(v1::Event::EXISTING, 2, "a"));
  EXPECT_THAT(told_, ElementsAre("DELETED a", "CREATED a"));
}

size_t CountOf(const std::string& text, const std::string& part) {
  return std::vector<std::string>(absl::StrSplit(text, part)).size() - 1;
}

// One that comes up may hang up before it serves.
TEST(Follow, DaemonThatIsAwayIsSaidToBeSoOnceAndToBeBackOnce) {
  char directory[] = "/tmp/roster-follow-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string socket = std::string(directory) + "/s";
  ListSource source;
  source.Publish(EventType::kCreated, MakeContainer("aaa", "a"));
  auto server = GrpcServer::Start(socket, &source, {.version = "9"});
  ASSERT_TRUE(server.ok()) << server.status();
  absl::Notification watched;
  std::thread daemons([&] {
    watched.WaitForNotification();
    server->reset();
    {
      auto listener = UnixListener::Listen(socket);
      // Each try to come back connects twice: to see whether somebody listens, and to call.
      for (int i = 0; listener.ok() && i < 6; ++i) {
        pollfd wait = {.fd = listener->fd(), .events = POLLIN, .revents = 0};
        poll(&wait, 1, 10'000);
        close(accept(listener->fd(), nullptr, nullptr));
      }
    }
    server = GrpcServer::Start(socket, &source, {.version = "9"});
    source.Publish(EventType::kCreated, MakeContainer("bbb", "b"));
  });
  ::testing::internal::CaptureStderr();
  const absl::Status status =
      Follow({.socket = socket}, {}, [&](std::string_view, absl::Time, const Entry& entry) {
        if (!watched.HasBeenNotified()) watched.Notify();
        return entry.container.runtime.container_id != "bbb";
      });
  const std::string said = ::testing::internal::GetCapturedStderr();
  daemons.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(CountOf(said, "went away"), 1u) << said;
  EXPECT_EQ(CountOf(said, "is back"), 1u) << said;
  server->reset();
  rmdir(directory);
}

}  // namespace
}  // namespace roster::cli
