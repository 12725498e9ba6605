// What a user may write on the command line, and what is said of what cannot be understood.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/flags.h"
#include "cli/identity.h"
#include "process/cgroup_id.h"

namespace roster::cli {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome RunRoster(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "roster");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = RunCli(static_cast<int>(arguments.size()), arguments.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

struct BadArguments {
  std::vector<const char*> arguments;
  const char* named;
};

class BadArgumentsTest : public ::testing::TestWithParam<BadArguments> {};

TEST_P(BadArgumentsTest, AreAUsageErrorThatNamesThem) {
  const Outcome outcome = RunRoster(GetParam().arguments);
  EXPECT_EQ(outcome.code, kExitUsage) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadArgumentsTest,
    ::testing::Values(
        BadArguments{{}, "subcommand is required"}, BadArguments{{"frobnicate"}, "frobnicate"},
        BadArguments{{"list", "--frob"}, "--frob"}, BadArguments{{"list", "extra"}, "extra"},
        BadArguments{{"list", "-o", "xml"}, "\"xml\""},
        BadArguments{{"list", "-o", "columns=pid,frob"}, "\"frob\""},
        BadArguments{{"list", "--sort", "frob"}, "\"frob\""},
        BadArguments{{"list", "-l", "app in (web"}, "app in (web"},
        BadArguments{{"list", "--runtime", "do cker"}, "do cker"},
        BadArguments{{"list", "-w", "-o", "yaml"}, "yaml"},
        BadArguments{{"watch", "-o", "table"}, "\"table\""},
        BadArguments{{"watch", "-l", "=="}, "=="}, BadArguments{{"get"}, "ID"},
        BadArguments{{"get", "x", "-o", "xml"}, "\"xml\""}, BadArguments{{"lookup"}, "1"},
        BadArguments{{"lookup", "--pid", "abc"}, "\"abc\""},
        BadArguments{{"lookup", "--pid", "0"}, "\"0\""},
        BadArguments{{"lookup", "--pid", "99999999999999999999"}, "99999999999999999999"},
        BadArguments{{"lookup", "--pid", "1", "--mntns", "2"}, "1"},
        BadArguments{{"lookup", "--mntns", "mnt:[12"}, "mnt:[12"},
        BadArguments{{"lookup", "--netns", "mnt:[12]"}, "mnt:[12]"},
        BadArguments{{"lookup", "--cgroup", "relative/path"}, "relative/path"},
        BadArguments{{"lookup", "--cgroup", "/proc"}, "/proc"},
        BadArguments{{"completion", "tcsh"}, "\"tcsh\""},
        BadArguments{{"daemon", "--hold-deadline", "soon"}, "\"soon\""},
        BadArguments{{"daemon", "--hold-deadline", "1h"}, "1h"},
        BadArguments{{"daemon", "--hold-deadline", "-1ms"}, "-1ms"},
        BadArguments{{"daemon", "--log-level", "loud"}, "\"loud\""},
        BadArguments{{"daemon", "--socket", "relative"}, "\"relative\""},
        BadArguments{{"daemon", "--host-mntns", "x"}, "\"x\""},
        BadArguments{{"doctor", "-o", "xml"}, "\"xml\""},
        BadArguments{{"version", "-o", "xml"}, "\"xml\""},
        BadArguments{{"uninstall", "--pin-dir", "relative"}, "\"relative\""}));

TEST(Arguments, EscapeSequencesInABadArgumentAreNotEchoed) {
  const Outcome outcome = RunRoster({"list", "-o", "\x1b[2J"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
}

TEST(Arguments, EveryCommandHasHelpWithExamplesAndExitCodes) {
  EXPECT_THAT(RunRoster({"--help"}).out, HasSubstr("Exit codes"));
  for (const Command& command : AllCommands()) {
    const Outcome outcome = RunRoster({command.name.c_str(), "--help"});
    EXPECT_EQ(outcome.code, kExitOk);
    EXPECT_THAT(outcome.out, HasSubstr("Examples:\n  ")) << command.name;
    EXPECT_THAT(outcome.out, HasSubstr("3 no such container"));
  }
}

TEST(Arguments, CompletionOfEachShellKnowsEveryCommandAndOption) {
  for (const CompletionScript& script : kCompletionScripts) {
    EXPECT_EQ(RunRoster({"completion", std::string(script.shell).c_str()}).out, script.text);
    for (const Command& command : AllCommands()) {
      EXPECT_THAT(std::string(script.text), HasSubstr(command.name)) << script.shell;
      for (const Option& option : command.options) {
        for (absl::string_view name : absl::StrSplit(option.names, ',')) {
          if (!absl::ConsumePrefix(&name, "--")) continue;
          EXPECT_THAT(std::string(script.text), HasSubstr(std::string(name)))
              << script.shell << " " << command.name;
        }
      }
    }
  }
}

TEST(Arguments, WithoutDaemonAndPinsTheErrorHasBothReasonsAndWhatToDo) {
  const Outcome outcome =
      RunRoster({"list", "--socket", "/nonexistent/s", "--pin-dir", "/nonexistent/pins"});
  EXPECT_EQ(outcome.code, kExitError);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/s"));
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/pins"));
  EXPECT_THAT(outcome.err, HasSubstr("roster doctor"));
}

TEST(Arguments, WatchAndLookupSayWhatIsAway) {
  EXPECT_EQ(RunRoster({"watch", "--socket", "/nonexistent/s"}).code, kExitError);
  EXPECT_THAT(RunRoster({"watch", "--socket", "/nonexistent/s"}).err, HasSubstr("/nonexistent/s"));
  const Outcome lookup = RunRoster({"lookup", "--pid", "1", "--pin-dir", "/nonexistent/pins"});
  EXPECT_EQ(lookup.code, kExitError);  // not 3: nothing was looked up
  EXPECT_THAT(lookup.err, HasSubstr("/nonexistent/pins"));
}

TEST(Arguments, SocketPathThatIsTooLongIsNamed) {
  const std::string path = "/" + std::string(300, 'x');
  const Outcome outcome = RunRoster({"list", "--socket", path.c_str()});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr(path));
}

TEST(Identity, NumbersAndLinkTargets) {
  EXPECT_EQ(*ParsePid("4711"), 4711);
  EXPECT_EQ(*ParseNamespace("mnt", "4026531841"), 4026531841u);
  EXPECT_EQ(*ParseNamespace("mnt", "mnt:[4026531841]"), 4026531841u);
  EXPECT_EQ(*ParseCgroup("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", " 1", "+1", "-1", "0x10", "1e3", "2147483648"})
    EXPECT_FALSE(ParsePid(bad).ok()) << bad;
  EXPECT_EQ(ParseCgroup("/nonexistent/cgroup").status().code(), absl::StatusCode::kNotFound);
}

TEST(Identity, DirectoryThatIsNoCgroupIsRefused) {
  std::vector<std::string> paths = {"/", "/proc", "/etc/passwd"};
  // A file of a cgroup has an id as its directory has.
  if (const auto mount = CgroupMount(); mount.ok()) paths.push_back(mount->mount + "/cgroup.procs");
  for (const std::string& path : paths) {
    const absl::Status status = ParseCgroup(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << path << " " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("directory of a cgroup"));
  }
}

TEST(Arguments, EventsOfAWatchedListAreForAWatchOnly) {
  const Outcome outcome = RunRoster({"list", "--output-watch-events"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--watch"));
}

TEST(SelectorFlags, RuntimeAndLabelsBecomeOneExpression) {
  const auto selector = ToSelector(
      {.namespace_name = "shop", .labels = {"app=web", "tier!=db"}, .runtime = "docker,podman"});
  ASSERT_TRUE(selector.ok()) << selector.status();
  EXPECT_EQ(selector->namespace_(), "shop");
  EXPECT_EQ(selector->where(), "app=web,tier!=db,@runtime in (docker,podman)");
}

}  // namespace
}  // namespace roster::cli
