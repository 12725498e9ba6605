// The program's commands against real pins, with and without a daemon.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <iterator>
#include <thread>

#include "cli/doctor/check.h"
#include "daemon/grpc_server.h"
#include "unit/cli/program_fixture.h"
#include "unit/daemon/list_source.h"

namespace roster::cli {
namespace {

using ::testing::HasSubstr;

TEST_F(ProgramTest, ListWithoutADaemonAnswersFromThePinsAndSaysSo) {
  pins_->Add(5, 1, 100, 200, 300, "web");
  const Outcome outcome =
      RunRoster({"list", "-o", "columns=fullid,name,mntns,netns,cgroup,status"});
  EXPECT_EQ(outcome.code, kExitOk);
  EXPECT_THAT(outcome.out, HasSubstr("id-of-web   web      100     200      300   running"));
  EXPECT_THAT(outcome.err, HasSubstr("answered from the pins"));
  EXPECT_THAT(outcome.err, HasSubstr(socket_));
}

TEST_F(ProgramTest, ListFromThePinsTakesTheSameSelectors) {
  pins_->Add(5, 1, 100, 0, 0, "web");
  pins_->Add(6, 1, 101, 0, 0, "db");
  const Outcome outcome = RunRoster({"list", "-c", "!db", "-o", "columns=name", "--no-headers"});
  EXPECT_EQ(outcome.out, "web\n");
}

TEST_F(ProgramTest, ListFromTheDaemonDoesNotMentionPins) {
  ListSource source;
  source.Publish(EventType::kCreated, MakeContainer("aaa", "from-daemon"));
  auto server = GrpcServer::Start(socket_, &source, {.version = "9"});
  ASSERT_TRUE(server.ok()) << server.status();
  const Outcome outcome = RunRoster({"list"});
  EXPECT_THAT(outcome.out, HasSubstr("from-daemon"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ProgramTest, GetByPrefixHasItsExitCodes) {
  pins_->Add(5, 1, 100, 0, 0, "web-1");
  pins_->Add(6, 1, 101, 0, 0, "web-2");
  EXPECT_EQ(RunRoster({"get", "id-of-web-1", "-o", "columns=name", "--no-headers"}).out, "web-1\n");
  EXPECT_EQ(RunRoster({"get", "zz"}).code, kExitNotFound);
  const Outcome several = RunRoster({"get", "id-of-web"});
  EXPECT_EQ(several.code, kExitError);
  EXPECT_THAT(several.err, HasSubstr("id-of-web-2"));
}

TEST_F(ProgramTest, LookupByEachIdentity) {
  pins_->Add(5, 1, 100, 200, 300, "web");
  for (const auto& [flag, value] : {std::pair<const char*, const char*>{"--mntns", "mnt:[100]"},
                                    {"--netns", "200"},
                                    {"--cgroup", "300"}}) {
    const Outcome outcome =
        RunRoster({"lookup", flag, value, "-o", "columns=name", "--no-headers"}, false, false);
    EXPECT_EQ(outcome.out, "web\n") << flag << outcome.err;
  }
  const Outcome nobody = RunRoster({"lookup", "--mntns", "999"}, false, false);
  EXPECT_EQ(nobody.code, kExitNotFound);
  EXPECT_THAT(nobody.err, HasSubstr("999"));
}

TEST_F(ProgramTest, LookupOfAProcessThatIsNotThereIsNotFound) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const Outcome outcome = RunRoster({"lookup", "--pid", std::to_string(child)}, false, false);
  EXPECT_EQ(outcome.code, kExitNotFound);
  EXPECT_THAT(outcome.err, HasSubstr(std::to_string(child)));
}

TEST_F(ProgramTest, DoctorExplainsEachCounterOfTrouble) {
  std::vector<uint64_t> per_cpu(static_cast<size_t>(sysconf(_SC_NPROCESSORS_CONF)) + 64, 0);
  per_cpu[0] = 3;
  const uint32_t full = ROSTER_STAT_MNTNS_FULL;
  ASSERT_EQ(bpf_map_update_elem(pins_->fd("roster_stats"), &full, per_cpu.data(), BPF_ANY), 0);
  const Checks checks = CheckCounters(paths());
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].verdict, Verdict::kWarning);
  EXPECT_EQ(checks[0].name, "roster_mntns full");
  EXPECT_THAT(checks[0].detail, HasSubstr("3:"));
}

TEST_F(ProgramTest, DoctorTellsOfDaemonAndPins) {
  EXPECT_EQ(CheckDaemon(paths()).verdict, Verdict::kFailure);
  EXPECT_THAT(CheckPins(paths()).detail, HasSubstr("the daemon was stopped"));
  pins_->abi()->boot_id[0] ^= 1;
  EXPECT_EQ(CheckPins(paths()).verdict, Verdict::kFailure);
  EXPECT_THAT(CheckPins(paths()).advice, HasSubstr("uninstall"));
  Paths elsewhere = paths();
  elsewhere.pin_dir = "/tmp/nonexistent";
  EXPECT_EQ(CheckBpfFilesystem(elsewhere).verdict, Verdict::kFailure);
  EXPECT_EQ(CheckBpfFilesystem(paths()).verdict, Verdict::kGood);
}

TEST_F(ProgramTest, DoctorIsOneJsonArrayWithAVerdictEach) {
  const Outcome outcome = RunRoster({"doctor", "-o", "json"}, true);
  EXPECT_EQ(outcome.code, kExitError);  // there is no daemon
  EXPECT_THAT(outcome.out, HasSubstr("\"check\": \"daemon\""));
  EXPECT_THAT(outcome.out, HasSubstr("\"verdict\": \"failure\""));
}

TEST_F(ProgramTest, ListThatIsWatchedSaysWhatHappenedWhereAsked) {
  ListSource source;
  source.Publish(EventType::kCreated, MakeContainer("aaa", "first"));
  auto server = GrpcServer::Start(socket_, &source, {.version = "9"});
  ASSERT_TRUE(server.ok()) << server.status();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  signal(SIGPIPE, SIG_IGN);
  fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  std::string said;
  std::thread reader([&] {
    // Each event again until it is told: nothing says when the watch has begun.
    const auto publish_until = [&](EventType type, const std::string& id, const char* word) {
      for (int i = 0; i < 500 && said.find(word) == std::string::npos; ++i) {
        source.Publish(type, MakeContainer(id, "first"));
        pollfd wait = {.fd = ends[0], .events = POLLIN, .revents = 0};
        char text[4096];
        if (poll(&wait, 1, 20) > 0)
          said.append(text, static_cast<size_t>(read(ends[0], text, sizeof(text))));
      }
    };
    publish_until(EventType::kUpdated, "aaa", "MODIFIED");
    publish_until(EventType::kDeleted, "aaa", "DELETED");
    // A line that nobody reads ends the command.
    close(ends[0]);
    source.Publish(EventType::kCreated, MakeContainer("bbb", "second"));
  });
  const std::string& socket = socket_;
  const char* argv[] = {"roster",   "list",         "-w",        "--output-watch-events",
                        "-o",       "columns=name", "--sort",    "name",
                        "--socket", socket.c_str(), "--pin-dir", pins_->dir().c_str()};
  const int code = RunCli(std::size(argv), argv);
  reader.join();
  clearerr(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  EXPECT_EQ(code, kExitOk);
  EXPECT_THAT(said, ::testing::StartsWith("EVENT      NAME\nADDED      first\n"));
  EXPECT_THAT(said, HasSubstr("\nMODIFIED   first\n"));
  EXPECT_THAT(said, HasSubstr("\nDELETED    first\n"));
}

}  // namespace
}  // namespace roster::cli
