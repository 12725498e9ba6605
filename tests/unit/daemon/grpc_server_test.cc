// The gRPC service over a real unix socket, with containers made by hand.
#include "daemon/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/synchronization/notification.h"
#include "daemon/convert.h"
#include "unit/daemon/list_source.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class GrpcServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/roster-grpc-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    dir_ = dir;
    socket_ = dir_ + "/roster.sock";
  }
  void TearDown() override {
    server_.reset();
    unlink(socket_.c_str());
    rmdir(dir_.c_str());
  }
  void Serve(ServiceOptions options = {.version = "1.2.3", .node_name = "node"}) {
    auto server = GrpcServer::Start(socket_, &source_, std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::Roster::NewStub(Channel());
  }
  std::shared_ptr<grpc::Channel> Channel() {
    return grpc::CreateChannel("unix:" + socket_, grpc::InsecureChannelCredentials());
  }
  std::vector<std::string> ListIds(const v1::ListRequest& request) {
    grpc::ClientContext context;
    v1::ListResponse response;
    const grpc::Status status = stub_->List(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::string> ids;
    for (const auto& container : response.containers())
      ids.push_back(container.runtime().container_id());
    return ids;
  }

  std::string dir_;
  std::string socket_;
  ListSource source_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::Roster::Stub> stub_;
};

TEST_F(GrpcServerTest, SocketIsForItsOwnUserOnlyWhateverTheUmask) {
  const mode_t before = umask(0);
  Serve();
  umask(before);
  struct stat status;
  ASSERT_EQ(stat(socket_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(GrpcServerTest, ListsWhatTheSelectorMatches) {
  source_.Publish(EventType::kCreated, MakeContainer("aaa", "web"));
  source_.Publish(EventType::kCreated, MakeContainer("bbb", "db"));
  Serve();
  EXPECT_THAT(ListIds({}), UnorderedElementsAre("aaa", "bbb"));
  v1::ListRequest request;
  request.mutable_selector()->set_container("!db");
  EXPECT_THAT(ListIds(request), ElementsAre("aaa"));
}

TEST_F(GrpcServerTest, SelectorThatDoesNotParseIsTheClientsFault) {
  Serve();
  grpc::ClientContext context;
  v1::ListRequest request;
  request.mutable_selector()->set_where("app in (web");
  v1::ListResponse response;
  const grpc::Status status = stub_->List(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("app in (web"));
}

TEST_F(GrpcServerTest, NameThatIsNoUtf8DoesNotSpoilTheList) {
  source_.Publish(EventType::kCreated, MakeContainer("aaa", "we\xff\xfe b"));
  Serve();
  grpc::ClientContext context;
  v1::ListResponse response;
  ASSERT_TRUE(stub_->List(&context, {}, &response).ok());
  EXPECT_EQ(response.containers(0).runtime().container_name(), "we\xef\xbf\xbd\xef\xbf\xbd b");
}

TEST_F(GrpcServerTest, ConfigIsSentOnlyWhenAskedFor) {
  auto container = std::make_shared<Container>(*MakeContainer("aaa", "web"));
  container->oci_config = "{\"x\":1}";
  container->handle = 9;
  source_.Publish(EventType::kCreated, container);
  Serve();
  for (const bool include : {false, true}) {
    grpc::ClientContext context;
    v1::ListRequest request;
    request.set_include_oci_config(include);
    v1::ListResponse response;
    ASSERT_TRUE(stub_->List(&context, request, &response).ok());
    EXPECT_EQ(response.containers(0).oci_config(), include ? "{\"x\":1}" : "");
    EXPECT_EQ(response.containers(0).pinned().state(), "running");
    EXPECT_EQ(response.containers(0).pinned().created_at(), 5);
  }
}

TEST_F(GrpcServerTest, GetTellsNoneSeveralAndOneApart) {
  source_.Publish(EventType::kCreated, MakeContainer("abc1", "web"));
  source_.Publish(EventType::kCreated, MakeContainer("abd2", "db"));
  Serve();
  const struct {
    const char* prefix;
    grpc::StatusCode code;
  } cases[] = {{"abc", grpc::StatusCode::OK},
               {"ab", grpc::StatusCode::FAILED_PRECONDITION},
               {"x", grpc::StatusCode::NOT_FOUND}};
  for (const auto& c : cases) {
    grpc::ClientContext context;
    v1::GetRequest request;
    request.set_id_prefix(c.prefix);
    v1::Container response;
    EXPECT_EQ(stub_->Get(&context, request, &response).error_code(), c.code) << c.prefix;
  }
}

TEST_F(GrpcServerTest, HealthTellsOfProblems) {
  Serve({.version = "1.2.3", .node_name = "node", .problems = [] {
           return std::vector<std::string>{"no fanotify"};
         }});
  grpc::ClientContext context;
  v1::HealthResponse response;
  ASSERT_TRUE(stub_->Health(&context, {}, &response).ok());
  EXPECT_EQ(response.status(), v1::HealthResponse::DEGRADED);
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_EQ(response.pid(), static_cast<uint32_t>(getpid()));
  EXPECT_THAT(response.problems(), ElementsAre("no fanotify"));
}

TEST_F(GrpcServerTest, WatchGivesTheExistingOnesThenEventsInOrder) {
  source_.Publish(EventType::kCreated, MakeContainer("aaa", "web"));
  Serve();
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.set_include_existing(true);
  auto stream = stub_->Watch(&context, request);
  stream->WaitForInitialMetadata();
  const ContainerPtr second = MakeContainer("bbb", "db");
  source_.Publish(EventType::kPreCreate, second);  // not asked for
  source_.Publish(EventType::kCreated, second);
  source_.Publish(EventType::kDeleted, second);
  std::vector<std::pair<int, std::string>> events;
  v1::Event event;
  while (events.size() < 3 && stream->Read(&event)) {
    events.emplace_back(event.type(), event.container().runtime().container_id());
  }
  EXPECT_THAT(events, ElementsAre(std::pair<int, std::string>(v1::Event::EXISTING, "aaa"),
                                  std::pair<int, std::string>(v1::Event::CREATED, "bbb"),
                                  std::pair<int, std::string>(v1::Event::DELETED, "bbb")));
  context.TryCancel();
  stream->Finish();
  source_.WaitForNoSubscribers();
}

TEST_F(GrpcServerTest, UpdateThatBringsAContainerIntoTheFilterIsCreated) {
  Serve();
  grpc::ClientContext context;
  v1::WatchRequest request;
  request.mutable_selector()->set_container("web");
  auto stream = stub_->Watch(&context, request);
  stream->WaitForInitialMetadata();
  const ContainerPtr nameless = MakeContainer("aaa", "");
  const ContainerPtr named = MakeContainer("aaa", "web");
  const ContainerPtr renamed = MakeContainer("aaa", "other");
  source_.Publish(EventType::kCreated, nameless);
  source_.Publish(EventType::kUpdated, named, nameless);
  source_.Publish(EventType::kUpdated, named, named);
  source_.Publish(EventType::kUpdated, renamed, named);
  std::vector<int> types;
  v1::Event event;
  while (types.size() < 3 && stream->Read(&event)) types.push_back(event.type());
  EXPECT_THAT(types, ElementsAre(v1::Event::CREATED, v1::Event::UPDATED, v1::Event::DELETED));
  context.TryCancel();
  stream->Finish();
}

TEST_F(GrpcServerTest, SlowWatcherIsToldSoAndHoldsNobodyUp) {
  Serve({.version = "1", .node_name = "n", .watch_queue_limit = 16});
  grpc::ClientContext slow_context;
  auto slow = stub_->Watch(&slow_context, {});
  slow->WaitForInitialMetadata();
  // Large enough that flow control stops the writes to who does not read.
  auto big = std::make_shared<Container>(*MakeContainer("aaa", "web"));
  big->bundle = std::string(256 * 1024, 'x');
  const absl::Time began = absl::Now();
  for (int i = 0; i < 200; ++i) source_.Publish(EventType::kUpdated, big, big);
  EXPECT_LT(absl::Now() - began, absl::Seconds(5));
  v1::Event event;
  int received = 0;
  while (slow->Read(&event)) ++received;
  const grpc::Status status = slow->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("too slow"));
  EXPECT_LT(received, 200);
  source_.WaitForNoSubscribers();
  grpc::ClientContext context;
  v1::HealthResponse health;
  ASSERT_TRUE(stub_->Health(&context, {}, &health).ok());
  EXPECT_EQ(health.watchers_too_slow(), 1u);
}

TEST_F(GrpcServerTest, NumberOfWatchersIsBounded) {
  Serve({.version = "1", .node_name = "n", .max_watchers = 1});
  grpc::ClientContext first_context;
  auto first = stub_->Watch(&first_context, {});
  first->WaitForInitialMetadata();
  grpc::ClientContext second_context;
  auto second = stub_->Watch(&second_context, {});
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first_context.TryCancel();
  first->Finish();
}

TEST_F(GrpcServerTest, StoppingEndsWatchesAsUnavailableAndRemovesTheSocket) {
  Serve();
  grpc::ClientContext context;
  auto stream = stub_->Watch(&context, {});
  stream->WaitForInitialMetadata();
  server_.reset();
  v1::Event event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(access(socket_.c_str(), F_OK), 0);
  EXPECT_EQ(source_.subscribers(), 0u);
}

TEST_F(GrpcServerTest, ClientThatVanishesIsUnsubscribed) {
  Serve();
  {
    grpc::ClientContext context;
    auto stream = stub_->Watch(&context, {});
    stream->WaitForInitialMetadata();
    EXPECT_EQ(source_.subscribers(), 1u);
    context.TryCancel();
    stream->Finish();
  }
  source_.WaitForNoSubscribers();
}

TEST_F(GrpcServerTest, SecondServerIsAnErrorThatNamesTheSocketAndTheFirstGoesOn) {
  Serve();
  auto second = GrpcServer::Start(socket_, &source_, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(socket_));
  EXPECT_THAT(ListIds({}), ElementsAre());
}

}  // namespace
}  // namespace roster
