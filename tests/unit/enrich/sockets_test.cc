// Where engines are looked for.
#include "enrich/sockets.h"

#include <stdlib.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EngineSockets, AreBelowTheHostsRoot) {
  const EngineSockets sockets = DiscoverEngineSockets("/host");
  EXPECT_THAT(sockets.docker, ElementsAre("/host/run/docker.sock"));
  EXPECT_THAT(sockets.containerd, ElementsAre("/host/run/containerd/containerd.sock",
                                              "/host/run/docker/containerd/containerd.sock"));
  EXPECT_THAT(sockets.podman, ElementsAre("/host/run/podman/podman.sock"));
  EXPECT_THAT(sockets.crio, ElementsAre("/host/run/crio/crio.sock"));
}

TEST(EngineSockets, TheEnvironmentsComesFirst) {
  ASSERT_EQ(::setenv("INSPEKTOR_GADGET_CRIO_SOCKETPATH", "/x.sock", 1), 0);
  EXPECT_THAT(DiscoverEngineSockets("/h").crio, ElementsAre("/h/x.sock", "/h/run/crio/crio.sock"));
  ASSERT_EQ(::setenv("INSPEKTOR_GADGET_CRIO_SOCKETPATH", "relative", 1), 0);
  EXPECT_THAT(DiscoverEngineSockets().crio, ElementsAre("/run/crio/crio.sock"));
  ::unsetenv("INSPEKTOR_GADGET_CRIO_SOCKETPATH");
}

TEST(DockerdSockets, EverySpellingOfTheOption) {
  EXPECT_THAT(DockerdSockets({"dockerd", "-H", "unix:///a", "--host", "unix:///b", "-H=unix:///c",
                              "--host=unix:///d", "-H", "tcp://0.0.0.0:1", "--host"}),
              ElementsAre("/b", "/d", "/a", "/c"));
  EXPECT_THAT(DockerdSockets({"dockerd", "-H", "fd://"}), ElementsAre("/run/docker.sock"));
  EXPECT_THAT(DockerdSockets({"dockerd", "-H", "unix://relative", "--hosts", "x"}), IsEmpty());
  EXPECT_THAT(DockerdSockets({}), IsEmpty());
}

TEST(DockerdSockets, OfTheConfigurationFile) {
  EXPECT_THAT(DockerdSocketsFromConfig(R"({"hosts":["unix:///a",7,"tcp://1:2"]})"),
              ElementsAre("/a"));
  for (const char* text : {"", "[]", "{}", R"({"hosts":"unix:///a"})"}) {
    EXPECT_THAT(DockerdSocketsFromConfig(text), IsEmpty()) << text;
  }
}

TEST(EngineHint, OfAProcessThatHasNoShimAboveItIsEmpty) {
  const EngineHint hint = ReadEngineHint(::getpid());
  EXPECT_EQ(hint.containerd_socket, "");
  EXPECT_EQ(hint.containerd_namespace, "");
  EXPECT_EQ(ReadEngineHint(4194304).containerd_socket, "");
}

}  // namespace
}  // namespace roster
