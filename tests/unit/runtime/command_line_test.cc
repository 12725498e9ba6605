#include "runtime/command_line.h"

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/container_id.h"

namespace roster {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

// Words apart by one blank; "''" is an empty word.
Words Split(const char* line) {
  Words words = absl::StrSplit(line, ' ');
  for (std::string& word : words) {
    if (word == "''") word.clear();
  }
  return words;
}

template <typename T>
T Parsed(std::string_view exe, const Words& argv) {
  const absl::StatusOr<Intent> intent = ParseCommandLine(exe, argv);
  EXPECT_TRUE(intent.ok()) << intent.status();
  if (!intent.ok() || !std::holds_alternative<T>(*intent)) {
    ADD_FAILURE() << absl::StrJoin(argv, " ") << ": another kind of intent";
    return {};
  }
  return std::get<T>(*intent);
}

bool IsNothing(std::string_view exe, const char* line) {
  const absl::StatusOr<Intent> intent = ParseCommandLine(exe, Split(line));
  EXPECT_TRUE(intent.ok()) << line << ": " << intent.status();
  return intent.ok() && std::holds_alternative<std::monostate>(*intent);
}

// Every command line of the table means: create "id" with bundle "/b" and pid file "/p".
struct Spelling {
  const char* exe;
  const char* line;
};

TEST(CommandLine, EverySpellingOfCreateMeansTheSame) {
  const Spelling spellings[] = {
      {"runc", "runc create --bundle /b --pid-file /p id"},
      {"runc", "runc create --bundle=/b --pid-file=/p id"},
      {"runc", "runc create -b /b -pid-file /p id"},
      {"runc", "runc create -b=/b -pid-file=/p id"},
      {"runc", "runc create -bundle /b -pid-file=/p id"},
      {"runc", "runc create --b /b --pid-file /p id"},
      {"runc", "runc create -b/b --pid-file /p id"},
      {"runc", "runc create id --bundle /b --pid-file /p"},
      {"runc", "runc create --bundle /b id --pid-file /p"},
      {"runc", "runc create --bundle /b --pid-file /p -- id"},
      {"runc", "runc create --pid-file /x --bundle /y --bundle /b --pid-file /p id"},
      {"runc",
       "runc create --no-pivot --no-new-keyring --bundle /b --pid-file /p --preserve-fds 3 "
       "--console-socket /s id"},
      {"runc", "runc create --no-pivot=true --bundle /b --pid-file /p --pidfd-socket /s id"},
      {"runc", "runc create --some-new-flag --bundle /b --pid-file /p id"},
      {"runc", "runc create --some-new-option value --bundle /b --pid-file /p id"},
      {"runc", "runc create --some-new-option=value --bundle /b --pid-file /p id"},
      {"runc", "/proc/self/exe create --bundle /b --pid-file /p id"},
      {"runc", "runc --debug --log /l --log-format json create --bundle /b --pid-file /p id"},
      {"runc", "runc --log create --log-format=create create --bundle /b --pid-file /p id"},
      {"runc", "runc --rootless auto --criu /c create --bundle /b --pid-file /p id"},
      {"runc", "runc --new-flag create --bundle /b --pid-file /p id"},
      {"runc", "runc --new-option value create --bundle /b --pid-file /p id"},
      {"runc", "runc --new-option=value create --bundle /b --pid-file /p id"},
      {"runc", "runc --systemd-cgroup=false create --bundle /b --pid-file /p id"},
      {"docker-runc", "docker-runc create --bundle /b --pid-file /p id"},
      {"crun", "crun create --bundle /b --pid-file /p id"},
      {"crun", "crun create --bundle=/b --pid-file=/p id"},
      {"crun", "crun create -b /b --pid-file /p id"},
      {"crun", "crun create -b/b --pid-file=/p id"},
      {"crun", "crun create --bun /b --pid /p id"},
      {"crun", "crun create --no-pivot --no-subreaper --preserve-fds=3 -b/b --pid-file /p id"},
      {"crun",
       "crun --cgroup-manager=cgroupfs --log=/l --log-format=json create -b /b --pid-file /p id"},
      {"crun", "crun --cgroup-manager cgroupfs --log /l --debug create -b /b --pid-file /p id"},
      {"youki", "youki create --bundle /b --pid-file /p id"},
      {"youki", "youki create --bundle=/b --pid-file=/p id"},
      {"youki", "youki create -b /b -p /p id"},
      {"youki", "youki create -b/b -p/p id"},
      {"youki", "youki create -b=/b -p=/p id"},
      {"youki", "youki -l /l --log-level debug create -c /s -b /b -p /p id"},
      {"youki", "youki create id -b /b -p /p"},
      {"runsc", "runsc create -bundle /b -pid-file /p id"},
      {"runsc", "runsc create --bundle=/b --pid-file=/p --user-log=/u id"},
      {"runsc", "runsc --rootless --strace --platform kvm create --bundle /b --pid-file /p id"},
      {"runsc",
       "runsc --panic-signal 12 --unheard-of 7 --net-raw=true create --bundle /b --pid-file /p id"},
      {"my-runtime", "my-runtime create --bundle /b --pid-file /p id"},
      {"nvidia-container-runtime", "x --log /l create --bundle /b --pid-file /p id"},
  };
  for (const Spelling& spelling : spellings) {
    SCOPED_TRACE(spelling.line);
    const auto intent = Parsed<CreateIntent>(spelling.exe, Split(spelling.line));
    EXPECT_EQ(intent.id, "id");
    EXPECT_EQ(intent.bundle, "/b");
    EXPECT_EQ(intent.pid_file, "/p");
    EXPECT_EQ(intent.root, "");
    EXPECT_FALSE(intent.run);
    EXPECT_FALSE(intent.restore);
    EXPECT_FALSE(intent.systemd_cgroup);
  }
}

TEST(CommandLine, RootIsTakenInEverySpelling) {
  const Spelling spellings[] = {
      {"runc", "runc --root /r create id"},   {"runc", "runc --root=/r create id"},
      {"runc", "runc -root /r create id"},    {"runc", "runc -root=/r create id"},
      {"crun", "crun --root /r create id"},   {"crun", "crun --root=/r create id"},
      {"youki", "youki -r /r create id"},     {"youki", "youki --root=/r create id"},
      {"youki", "youki -r/r create id"},      {"runsc", "runsc -root /r create id"},
      {"runsc", "runsc --root=/r create id"}, {"unknown", "unknown --root /r create id"},
  };
  for (const Spelling& spelling : spellings) {
    SCOPED_TRACE(spelling.line);
    const auto intent = Parsed<CreateIntent>(spelling.exe, Split(spelling.line));
    EXPECT_EQ(intent.root, "/r");
    EXPECT_EQ(intent.id, "id");
    EXPECT_EQ(intent.bundle, "");
    EXPECT_EQ(intent.pid_file, "");
  }
}

TEST(CommandLine, SystemdCgroupIsTaken) {
  EXPECT_TRUE(
      Parsed<CreateIntent>("runc", Split("runc --systemd-cgroup create id")).systemd_cgroup);
  EXPECT_TRUE(
      Parsed<CreateIntent>("runc", Split("runc --systemd-cgroup=true run id")).systemd_cgroup);
  EXPECT_TRUE(Parsed<CreateIntent>("crun", Split("crun --systemd-cgroup run id")).systemd_cgroup);
  EXPECT_TRUE(Parsed<CreateIntent>("youki", Split("youki -s create id")).systemd_cgroup);
}

TEST(CommandLine, RunAndRestoreStartAtOnce) {
  const auto run =
      Parsed<CreateIntent>("runc", Split("runc run -d --keep --no-subreaper -b /b id"));
  EXPECT_TRUE(run.run);
  EXPECT_TRUE(run.detach);
  EXPECT_FALSE(run.restore);
  EXPECT_FALSE(Parsed<CreateIntent>("runc", Split("runc run --detach=false id")).detach);
  EXPECT_TRUE(Parsed<CreateIntent>("crun", Split("crun run -db/b id")).detach);
  EXPECT_EQ(Parsed<CreateIntent>("crun", Split("crun run -db/b id")).bundle, "/b");
  const auto restore = Parsed<CreateIntent>(
      "runc", Split("runc restore --image-path /i --work-path /w --tcp-established "
                    "--manage-cgroups-mode soft "
                    "--empty-ns network --lsm-profile a:b --detach --bundle /b id"));
  EXPECT_TRUE(restore.run);
  EXPECT_TRUE(restore.restore);
  EXPECT_EQ(restore.id, "id");
  EXPECT_EQ(restore.bundle, "/b");
}

TEST(CommandLine, CrunsConfigFileIsTaken) {
  EXPECT_EQ(Parsed<CreateIntent>("crun", Split("crun create -f other.json id")).config,
            "other.json");
  EXPECT_EQ(Parsed<CreateIntent>("crun", Split("crun create --config=/o.json id")).config,
            "/o.json");
}

TEST(CommandLine, AValueMayLookLikeAnOptionOrASubcommand) {
  const auto intent =
      Parsed<CreateIntent>("runc", Split("runc --log --root create --bundle run -b -x id"));
  EXPECT_EQ(intent.root, "");
  EXPECT_EQ(intent.bundle, "-x");
  EXPECT_EQ(Parsed<CreateIntent>("runc", Split("runc create --bundle create run")).id, "run");
}

TEST(CommandLine, TheRuntimeIsNamedByItsExecutable) {
  const std::pair<const char*, const char*> names[] = {
      {"runc", "runc"},
      {"crun", "crun"},
      {"youki", "youki"},
      {"runsc", "runsc"},
      {"docker-runc", "runc"},
      {"runc-1.2.3", "runc"},
      {"runc.real", "runc"},
      {"crun-vm", "crun"},
      {"krun", "crun"},
      {"kata-runtime", "kata-runtime"},
      {"runcible", "runcible"},
      {"xcrun", "xcrun"},
      {"containerd-shim-runc-v2", "containerd-shim-runc-v2"},
  };
  for (const auto& [exe, runtime] : names) {
    EXPECT_EQ(Parsed<CreateIntent>(exe, Split("x create id")).runtime, runtime) << exe;
  }
  EXPECT_EQ(KnownRuntime("conmon"), "conmon");
  EXPECT_EQ(KnownRuntime("conmonrs"), "");
  EXPECT_EQ(KnownRuntime(""), "");
  EXPECT_EQ(KnownRuntime("-runc"), "runc");
  EXPECT_EQ(KnownRuntime("run"), "");
}

TEST(CommandLine, ExecJoinsTheFirstWordAndIgnoresTheCommand) {
  const Spelling spellings[] = {
      {"runc", "runc --root /r exec id sh -c x"},
      {"runc", "runc --root /r exec -t -e A=B --cwd / -u 0:0 id create --bundle x y"},
      {"runc", "runc --root /r --log /l exec --process /p.json --detach --pid-file /p id"},
      {"runc", "runc --root /r exec --tty=false --env=A=B --cap CAP_X -g 5 --cgroup x id ls"},
      {"runc", "runc --root /r exec -- id ls"},
      {"crun", "crun --root=/r exec -dt -eA=B -u0 --process=/p id ls -la"},
      {"crun", "crun --root=/r exec --tty=/dev/x --apparmor p id ls"},
      {"youki", "youki -r /r exec -t -e A=B --cwd / id ls"},
      {"runsc", "runsc --root /r exec -internal-pid-file /i -user 1:1 id ls"},
  };
  for (const Spelling& spelling : spellings) {
    SCOPED_TRACE(spelling.line);
    const auto intent = Parsed<JoinIntent>(spelling.exe, Split(spelling.line));
    EXPECT_EQ(intent.id, "id");
    EXPECT_EQ(intent.root, "/r");
  }
  EXPECT_EQ(Parsed<JoinIntent>("docker-runc", Split("runc exec id ls")).runtime, "runc");
}

TEST(CommandLine, OtherSubcommandsAreNothing) {
  for (const char* line : {"runc init",
                           "runc state id",
                           "runc delete --force id",
                           "runc start id",
                           "runc kill id KILL",
                           "runc features",
                           "runc list",
                           "runc ps id",
                           "runc pause id",
                           "runc update --memory 1 id",
                           "runc spec",
                           "runc events id",
                           "runc checkpoint --image-path /i id",
                           "runc --version",
                           "runc -v",
                           "runc",
                           "runc help create",
                           "runc --help create id",
                           "runc create --help",
                           "runc run -h id",
                           "runc exec --help",
                           "runc --debug",
                           "runc --log /l --root /r delete create",
                           "runc --",
                           "runc -"}) {
    EXPECT_TRUE(IsNothing("runc", line)) << line;
  }
  EXPECT_TRUE(IsNothing("crun", "crun create --usage"));
  EXPECT_TRUE(IsNothing("runsc", "runsc boot --bundle /b id"));
  EXPECT_TRUE(IsNothing("youki", "youki -v create --bundle /b id"));
  EXPECT_TRUE(IsNothing("youki", "youki -V create --bundle /b id"));
  EXPECT_TRUE(IsNothing("ls", "ls -la /create"));
  EXPECT_TRUE(IsNothing("", "x"));
  const absl::StatusOr<Intent> no_words = ParseCommandLine("runc", {});
  ASSERT_TRUE(no_words.ok());
  EXPECT_TRUE(std::holds_alternative<std::monostate>(*no_words));
}

TEST(CommandLine, ConmonOfPodman) {
  const auto intent =
      Parsed<ConmonIntent>("conmon", Split("/usr/bin/conmon --api-version 1 -c 5ad -u 5ad -r "
                                           "/usr/bin/crun -b /b/userdata -p /p/pidfile -n web "
                                           "--exit-dir /e --full-attach -s -l k8s-file:/l "
                                           "--log-level warning --syslog --runtime-arg "
                                           "--log-format=json --runtime-arg --log "
                                           "--runtime-arg=/run/oci-log -t --conmon-pidfile /c.pid "
                                           "--exit-command /usr/bin/podman --exit-command-arg "
                                           "--root --exit-command-arg /var/x --exit-command-arg "
                                           "-n --exit-command-arg container"));
  EXPECT_EQ(intent, (ConmonIntent{"web", "5ad", "/b/userdata", "/p/pidfile", "/usr/bin/crun", ""}));
}

TEST(CommandLine, ConmonOfCrio) {
  const auto intent = Parsed<ConmonIntent>(
      "conmon",
      Split("conmon -b /b/userdata -c 5ad --exit-dir /e -l /l --log-level info -n k8s_a_b_c_d_0 -P "
            "/c.pid -p "
            "/b/userdata/pidfile --persist-dir /d -r /usr/bin/runc --runtime-arg --root=/run/runc "
            "--socket-dir-path /s --syslog -u 5ad -is"));
  EXPECT_EQ(intent, (ConmonIntent{"k8s_a_b_c_d_0", "5ad", "/b/userdata", "/b/userdata/pidfile",
                                  "/usr/bin/runc", "/run/runc"}));
}

TEST(CommandLine, ConmonWithLongNamesAndAnEqualsSign) {
  const auto intent = Parsed<ConmonIntent>(
      "conmon", Split("conmon --cid=x --name=n --bundle=/b --container-pidfile=/p --runtime=/r "
                      "--runtime-arg --root "
                      "--runtime-arg /root"));
  EXPECT_EQ(intent, (ConmonIntent{"n", "x", "/b", "/p", "/r", "/root"}));
}

TEST(CommandLine, ConmonThatExecsOrSaysItsVersionIsNothing) {
  EXPECT_TRUE(IsNothing("conmon", "conmon -c x -e --exec-process-spec /s"));
  EXPECT_TRUE(IsNothing("conmon", "conmon --exec --exec-attach -c x"));
  EXPECT_TRUE(IsNothing("conmon", "conmon --version"));
}

TEST(CommandLine, ErrorsNameTheInput) {
  const struct {
    const char* exe;
    Words argv;
    const char* message;
  } cases[] = {
      {"runc", {"runc", "create"}, "\"runc\" create: no container id"},
      {"runc", {"runc", "create", ""}, "no container id"},
      {"runc", {"runc", "run", "--bundle", "/b"}, "no container id"},
      {"runc", {"runc", "exec", "-t"}, "no container id"},
      {"runc", {"runc", "create", "--bundle"}, "option --bundle: its value is missing"},
      {"runc", {"runc", "--root"}, "option --root: its value is missing"},
      {"crun", {"crun", "run", "-b"}, "option --bundle: its value is missing"},
      {"conmon", {"conmon", "-n", "x"}, "\"conmon\": no container id (--cid)"},
      {"conmon", {"conmon", "-c"}, "option --cid: its value is missing"},
      {"runc", {"runc", "create", "a/b"}, "container id \"a/b\""},
      {"runc", {"runc", "create", ".."}, "container id \"..\": names a directory"},
      {"runc", {"runc", "create", "\xff\x1b[31m"}, "container id \"\\xff\\x1b[31m\""},
      {"runc", {"runc", "exec", "a b", "ls"}, "container id \"a b\""},
      {"conmon", {"conmon", "-c", "a:b"}, "container id \"a:b\""},
      {"\xfe", {"x", "create"}, "\"\\xfe\" create"},
      {"runc", {"runc", "create", std::string(4096, 'a')}, "4096 bytes are over the limit of 1024"},
  };
  for (const auto& test : cases) {
    const absl::Status status = ParseCommandLine(test.exe, test.argv).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << test.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(test.message));
    EXPECT_LT(status.message().size(), 400u);
  }
}

TEST(CommandLine, BytesThatAreNoUtf8AreKeptInPaths) {
  const auto intent = Parsed<CreateIntent>(
      "runc", {"\xff", "--root", "\xfe", "create", "--bundle", "/\xff", "--pid-file=\xfd", "id"});
  EXPECT_EQ(intent.root, "\xfe");
  EXPECT_EQ(intent.bundle, "/\xff");
  EXPECT_EQ(intent.pid_file, "\xfd");
}

TEST(CommandLine, TenThousandWordsAreRead) {
  Words argv = {"runc", "create"};
  for (int i = 0; i < 5000; ++i) {
    argv.push_back("--preserve-fds");
    argv.push_back(std::to_string(i));
  }
  argv.push_back("id");
  EXPECT_EQ(Parsed<CreateIntent>("runc", argv).id, "id");
}

TEST(ContainerId, IsLettersDigitsAndFourSigns) {
  for (const char* id : {"a", "...", "a.b_c+d-e", "-", "0", "A9"})
    EXPECT_TRUE(ValidateContainerId(id).ok()) << id;
  for (const char* id : {"", ".", "..", "a/b", "a b", "a\n", "\xc3\xa9", "a:b", "$(x)", "../x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ValidateContainerId(id))) << id;
  }
  EXPECT_FALSE(ValidateContainerId(std::string_view("a\0b", 3)).ok());
}

TEST(ContainerId, HasAtMost1024Bytes) {
  EXPECT_TRUE(ValidateContainerId(std::string(1024, 'a')).ok());
  EXPECT_FALSE(ValidateContainerId(std::string(1025, 'a')).ok());
}

}  // namespace
}  // namespace roster
