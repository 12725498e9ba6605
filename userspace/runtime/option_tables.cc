#include "runtime/option_tables.h"

#include <algorithm>

namespace roster {
namespace {

using enum OptionRole;

// runc 1.1 to 1.3 (`runc --help`, `runc create --help`, ...).
constexpr Option kRuncGlobal[] = {
    {"debug", '\0', false},         {"log", '\0', true},
    {"log-format", '\0', true},     {"root", '\0', true, kRoot},
    {"criu", '\0', true},           {"systemd-cgroup", '\0', false, kSystemdCgroup},
    {"rootless", '\0', true},       {"help", 'h', false, kHelp},
    {"version", 'v', false, kHelp},
};
constexpr Option kRuncCreate[] = {
    {"bundle", 'b', true, kBundle},
    {"console-socket", '\0', true},
    {"pidfd-socket", '\0', true},
    {"pid-file", '\0', true, kPidFile},
    {"no-pivot", '\0', false},
    {"no-new-keyring", '\0', false},
    {"preserve-fds", '\0', true},
    {"detach", 'd', false, kDetach},
    {"keep", '\0', false},
    {"no-subreaper", '\0', false},
    {"image-path", '\0', true},
    {"work-path", '\0', true},
    {"parent-path", '\0', true},
    {"tcp-established", '\0', false},
    {"tcp-close", '\0', false},
    {"ext-unix-sk", '\0', false},
    {"shell-job", '\0', false},
    {"file-locks", '\0', false},
    {"manage-cgroups-mode", '\0', true},
    {"empty-ns", '\0', true},
    {"auto-dedup", '\0', false},
    {"lazy-pages", '\0', false},
    {"link-remap", '\0', false},
    {"lsm-profile", '\0', true},
    {"lsm-mount-context", '\0', true},
    {"help", 'h', false, kHelp},
};
constexpr Option kRuncExec[] = {
    {"console-socket", '\0', true},
    {"pidfd-socket", '\0', true},
    {"cwd", '\0', true},
    {"env", 'e', true},
    {"tty", 't', false},
    {"user", 'u', true},
    {"additional-gids", 'g', true},
    {"process", 'p', true},
    {"detach", 'd', false, kDetach},
    {"pid-file", '\0', true, kPidFile},
    {"process-label", '\0', true},
    {"apparmor", '\0', true},
    {"no-new-privs", '\0', false},
    {"cap", 'c', true},
    {"preserve-fds", '\0', true},
    {"cgroup", '\0', true},
    {"ignore-paused", '\0', false},
    {"help", 'h', false, kHelp},
};

// crun 1.8 and newer (`crun --help`, `crun create --help`, ...).
constexpr Option kCrunGlobal[] = {
    {"cgroup-manager", '\0', true},
    {"debug", '\0', false},
    {"log", '\0', true},
    {"log-format", '\0', true},
    {"log-level", '\0', true},
    {"root", '\0', true, kRoot},
    {"rootless", '\0', true},
    {"systemd-cgroup", '\0', false, kSystemdCgroup},
    {"help", '?', false, kHelp},
    {"usage", '\0', false, kHelp},
    {"version", 'v', false, kHelp},
    {"version", 'V', false, kHelp},
};
constexpr Option kCrunCreate[] = {
    {"bundle", 'b', true, kBundle},
    {"console-socket", '\0', true},
    {"config", 'f', true, kConfig},
    {"detach", 'd', false, kDetach},
    {"keep", '\0', false},
    {"no-new-keyring", '\0', false},
    {"no-pivot", '\0', false},
    {"no-subreaper", '\0', false},
    {"pid-file", '\0', true, kPidFile},
    {"preserve-fds", '\0', true},
    // restore, where crun is built with CRIU
    {"image-path", '\0', true},
    {"work-path", '\0', true},
    {"tcp-established", '\0', false},
    {"tcp-close", '\0', false},
    {"ext-unix-sk", '\0', false},
    {"shell-job", '\0', false},
    {"file-locks", '\0', false},
    {"manage-cgroups-mode", '\0', true},
    {"lsm-profile", '\0', true},
    {"lsm-mount-context", '\0', true},
    {"help", '?', false, kHelp},
    {"usage", '\0', false, kHelp},
};
constexpr Option kCrunExec[] = {
    {"apparmor", '\0', true},
    {"cgroup", '\0', true},
    {"console-socket", '\0', true},
    {"cwd", '\0', true},
    {"cap", 'c', true},
    {"detach", 'd', false, kDetach},
    {"env", 'e', true},
    {"no-new-privs", '\0', false},
    {"pid-file", '\0', true, kPidFile},
    {"preserve-fds", '\0', true},
    {"process-label", '\0', true},
    {"process", 'p', true},
    {"tty", 't', false},  // --tty[=TTY]: a value only behind =
    {"user", 'u', true},
    {"help", '?', false, kHelp},
    {"usage", '\0', false, kHelp},
};

// youki 0.3 to 0.7 (its crate liboci-cli).
constexpr Option kYoukiGlobal[] = {
    {"log", 'l', true},
    {"log-format", '\0', true},
    {"log-level", '\0', true},
    {"debug", '\0', false},
    {"root", 'r', true, kRoot},
    {"systemd-cgroup", 's', false, kSystemdCgroup},
    {"systemd-log", '\0', false},
    {"help", 'h', false, kHelp},
    {"version", 'v', false, kHelp},
    {"version", 'V', false, kHelp},  // up to 0.5
};
constexpr Option kYoukiCreate[] = {
    {"bundle", 'b', true, kBundle},    {"console-socket", 'c', true},
    {"pid-file", 'p', true, kPidFile}, {"no-pivot", '\0', false},
    {"no-new-keyring", '\0', false},   {"preserve-fds", '\0', true},
    {"detach", 'd', false, kDetach},   {"keep", '\0', false},
    {"no-subreaper", '\0', false},     {"image-path", '\0', true},
    {"work-path", '\0', true},         {"help", 'h', false, kHelp},
};
constexpr Option kYoukiExec[] = {
    {"console-socket", '\0', true},
    {"tty", 't', false},
    {"cwd", '\0', true},
    {"pid-file", '\0', true, kPidFile},
    {"env", 'e', true},
    {"user", 'u', true},
    {"additional-gids", 'g', true},
    {"no-new-privs", '\0', false},
    {"process", 'p', true},
    {"detach", 'd', false, kDetach},
    {"process-label", '\0', true},
    {"apparmor", '\0', true},
    {"cap", '\0', true},
    {"preserve-fds", '\0', true},
    {"ignore-paused", '\0', false},
    {"cgroup", '\0', true},
    {"help", 'h', false, kHelp},
};

// runsc (gVisor runsc/config/flags.go). Only the usual ones of its hundred flags: any other is told
// from its neighbours (see command_line.cc).
constexpr Option kRunscGlobal[] = {
    {"root", '\0', true, kRoot},
    {"log", '\0', true},
    {"log-format", '\0', true},
    {"debug", '\0', false},
    {"systemd-cgroup", '\0', false, kSystemdCgroup},
    {"debug-log", '\0', true},
    {"debug-log-format", '\0', true},
    {"debug-command", '\0', true},
    {"panic-log", '\0', true},
    {"coverage-report", '\0', true},
    {"log-packets", '\0', false},
    {"log-fd", '\0', true},
    {"debug-log-fd", '\0', true},
    {"panic-log-fd", '\0', true},
    {"alsologtostderr", '\0', false},
    {"allow-flag-override", '\0', false},
    {"traceback", '\0', true},
    {"metric-server", '\0', true},
    {"strace", '\0', false},
    {"strace-syscalls", '\0', true},
    {"strace-log-size", '\0', true},
    {"platform", '\0', true},
    {"platform_device_path", '\0', true},
    {"watchdog-action", '\0', true},
    {"panic-signal", '\0', true},
    {"profile", '\0', false},
    {"rootless", '\0', false},  // a flag here, a value with runc
    {"ref-leak-mode", '\0', true},
    {"oci-seccomp", '\0', false},
    {"pod-init-config", '\0', true},
    {"file-access", '\0', true},
    {"file-access-mounts", '\0', true},
    {"overlay", '\0', false},
    {"overlay2", '\0', true},
    {"host-uds", '\0', true},
    {"host-fifo", '\0', true},
    {"ignore-cgroups", '\0', false},
    {"fdlimit", '\0', true},
    {"dcache", '\0', true},
    {"network", '\0', true},
    {"net-raw", '\0', false},
    {"num-network-channels", '\0', true},
    {"qdisc", '\0', true},
    {"help", 'h', false, kHelp},
    {"version", '\0', false, kHelp},
};
constexpr Option kRunscCreate[] = {
    {"bundle", '\0', true, kBundle},
    {"console-socket", '\0', true},
    {"pid-file", '\0', true, kPidFile},
    {"user-log", '\0', true},
    {"detach", '\0', false, kDetach},
    {"pass-fd", '\0', true},
    {"exec-fd", '\0', true},
    {"image-path", '\0', true},
    {"work-path", '\0', true},
    {"direct", '\0', false},
    {"background", '\0', false},
    {"no-subreaper", '\0', false},
    {"no-pivot", '\0', false},
    {"help", 'h', false, kHelp},
};
constexpr Option kRunscExec[] = {
    {"cwd", '\0', true},
    {"env", '\0', true},
    {"user", '\0', true},
    {"additional-gids", '\0', true},
    {"cap", '\0', true},
    {"detach", '\0', false, kDetach},
    {"process", '\0', true},
    {"pid-file", '\0', true, kPidFile},
    {"internal-pid-file", '\0', true},
    {"console-socket", '\0', true},
    {"pass-fd", '\0', true},
    {"exec-fd", '\0', true},
    {"help", 'h', false, kHelp},
};

// conmon 2.0 and 2.1 (`conmon --help`, src/cli.c for which take a value).
constexpr Option kConmon[] = {
    {"api-version", '\0', true},
    {"bundle", 'b', true, kBundle},
    {"cid", 'c', true, kContainerId},
    {"conmon-pidfile", 'P', true},
    {"container-pidfile", 'p', true, kPidFile},
    {"cuuid", 'u', true},
    {"exec", 'e', false, kExec},
    {"exec-attach", '\0', false, kExec},
    {"exec-process-spec", '\0', true},
    {"exit-command", '\0', true},
    {"exit-command-arg", '\0', true},
    {"exit-delay", '\0', true},
    {"exit-dir", '\0', true},
    {"full-attach", '\0', false},
    {"help", 'h', false, kHelp},
    {"leave-stdin-open", '\0', false},
    {"log-global-size-max", '\0', true},
    {"log-level", '\0', true},
    {"log-path", 'l', true},
    {"log-size-max", '\0', true},
    {"log-tag", '\0', true},
    {"name", 'n', true, kName},
    {"no-container-partial-message", '\0', false},
    {"no-new-keyring", '\0', false},
    {"no-pivot", '\0', false},
    {"no-sync-log", '\0', false},
    {"persist-dir", '0', true},
    {"pidfile", '\0', true, kPidFile},  // deprecated spelling
    {"replace-listen-pid", '\0', false},
    {"restore", '\0', true},
    {"restore-arg", '\0', true},
    {"runtime", 'r', true, kRuntime},
    {"runtime-arg", '\0', true, kRuntimeArg},
    {"runtime-opt", '\0', true},
    {"sdnotify-socket", '\0', true},
    {"seccomp-notify-plugins", '\0', true},
    {"seccomp-notify-socket", '\0', true},
    {"socket-dir-path", '\0', true},
    {"stdin", 'i', false},
    {"sync", '\0', false},
    {"syslog", '\0', false},
    {"systemd-cgroup", 's', false},
    {"terminal", 't', false},
    {"timeout", 'T', true},
    {"version", '\0', false, kHelp},
};

constexpr Grammar kGrammars[] = {
    {"runc", Spelling::kGo, kRuncGlobal, kRuncCreate, kRuncExec},
    {"crun", Spelling::kGetopt, kCrunGlobal, kCrunCreate, kCrunExec},
    {"youki", Spelling::kClap, kYoukiGlobal, kYoukiCreate, kYoukiExec},
    {"runsc", Spelling::kGo, kRunscGlobal, kRunscCreate, kRunscExec},
};

constexpr std::string_view kSubcommands[] = {
    "boot",    "checkpoint", "create", "debug", "delete", "do",    "events", "exec",  "features",
    "gofer",   "h",          "help",   "info",  "init",   "kill",  "list",   "pause", "ps",
    "restore", "resume",     "run",    "spec",  "start",  "state", "update", "wait",
};

}  // namespace

const Grammar& GrammarOf(std::string_view runtime) {
  const auto found =
      std::find_if(std::begin(kGrammars), std::end(kGrammars),
                   [&](const Grammar& grammar) { return grammar.runtime == runtime; });
  return found == std::end(kGrammars) ? kGrammars[0] : *found;
}

std::span<const Option> ConmonOptions() { return kConmon; }

bool IsSubcommand(std::string_view word) {
  return std::find(std::begin(kSubcommands), std::end(kSubcommands), word) !=
         std::end(kSubcommands);
}

}  // namespace roster
