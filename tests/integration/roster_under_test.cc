#include "integration/roster_under_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/wait.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Tail(const std::string& text) {
  return text.size() > 4000 ? text.substr(text.size() - 4000) : text;
}

// Where sd_notify(3) is received.
absl::StatusOr<Fd> ListenForNotification(const std::string& path) {
  ::unlink(path.c_str());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoStatus("bind", path, errno);
  }
  return socket;
}

bool IsStopped(pid_t pid) {
  std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() &&
         (stat[end + 2] == 'T' || stat[end + 2] == 't');
}

}  // namespace

std::string RosterUnderTest::Program() {
  const char* path = std::getenv("ROSTER_PROGRAM");
  return path != nullptr && *path != '\0' ? path : ROSTER_PROGRAM;
}

RosterUnderTest::RosterUnderTest(const Workspace& workspace)
    : workspace_(workspace),
      pin_directory_("/sys/fs/bpf/" + workspace.unique_name() + "/v1"),
      state_directory_(workspace.MakeDirectory("roster")),
      socket_(workspace.Path("roster.sock")),
      log_path_(workspace.Path("roster.log")),
      untold_frees_(UntoldFrees::Begin()) {}

RosterUnderTest::~RosterUnderTest() {
  daemon_ = Process();
  std::error_code ignored;
  if (fs::exists(pin_directory_, ignored)) Uninstall().IgnoreError();
  // What uninstall left is a failure of the test that asks for it; here it must only be gone.
  fs::remove_all(fs::path(pin_directory_).parent_path(), ignored);
}

absl::Status RosterUnderTest::Start(const std::vector<std::string>& options) {
  const std::string notify_path = workspace_.Path("notify.sock");
  ROSTER_ASSIGN_OR_RETURN(Fd notify, ListenForNotification(notify_path));
  std::error_code ignored;
  fs::create_directories(fs::path(pin_directory_).parent_path(), ignored);
  CommandOptions command;
  command.environment = workspace_.environment();
  command.environment.push_back("NOTIFY_SOCKET=" + notify_path);
  command.log_path = log_path_;
  command.new_session = true;
  std::vector<std::string> line{Program(),   "daemon",       "--socket",    socket_,
                                "--pin-dir", pin_directory_, "--state-dir", state_directory_};
  line.insert(line.end(), options.begin(), options.end());
  // Not what is under test here: a test that judges the deadline gives one itself.
  if (TimeScale() > 1 && std::find(line.begin(), line.end(), "--hold-deadline") == line.end()) {
    line.push_back("--hold-deadline");
    line.push_back(absl::FormatDuration(absl::Milliseconds(100) * TimeScale()));
  }
  ROSTER_ASSIGN_OR_RETURN(daemon_, Process::Spawn(line, command));
  bool ready = false;
  absl::Status waited = WaitUntil(
      "READY=1 of the daemon", {notify.get(), daemon_.pidfd()}, In(absl::Seconds(30)), [&] {
        char text[4096];
        for (ssize_t got; (got = ::recv(notify.get(), text, sizeof(text), 0)) > 0;) {
          ready |= absl::StrContains(std::string(text, got), "READY=1");
        }
        siginfo_t info{};
        bool ended = ::waitid(static_cast<idtype_t>(P_PIDFD), daemon_.pidfd(), &info,
                              WEXITED | WNOHANG | WNOWAIT) == 0 &&
                     info.si_pid != 0;
        return ready || ended;
      });
  if (ready) return absl::OkStatus();
  if (waited.ok()) {
    absl::StatusOr<int> code = daemon_.Wait(In(absl::Seconds(1)));
    waited =
        absl::UnavailableError(absl::StrCat("the daemon has exited with ", code.ok() ? *code : -1));
  }
  daemon_ = Process();
  return absl::Status(waited.code(), absl::StrCat(waited.message(), "\n", Tail(Log())));
}

absl::Status RosterUnderTest::Terminate() {
  ROSTER_RETURN_IF_ERROR(daemon_.Signal(SIGTERM));
  ROSTER_ASSIGN_OR_RETURN(int code, daemon_.Wait(In(absl::Seconds(10))));
  if (code != 0)
    return absl::InternalError(absl::StrCat("the daemon exited with ", code, "\n", Tail(Log())));
  return absl::OkStatus();
}

absl::Status RosterUnderTest::Kill() {
  ROSTER_RETURN_IF_ERROR(daemon_.Signal(SIGKILL));
  return daemon_.Wait(In(absl::Seconds(10))).status();
}

absl::Status RosterUnderTest::Pause() {
  ROSTER_RETURN_IF_ERROR(daemon_.Signal(SIGSTOP));
  Ticker ticker(absl::Milliseconds(1));
  return WaitUntil("the daemon to be stopped", {ticker.fd()}, In(absl::Seconds(5)), [&] {
    ticker.Take();
    return IsStopped(pid());
  });
}

absl::Status RosterUnderTest::Continue() { return daemon_.Signal(SIGCONT); }

absl::StatusOr<CommandResult> RosterUnderTest::Call(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> line{Program()};
  line.insert(line.end(), arguments.begin(), arguments.end());
  line.insert(line.end(), {"--socket", socket_, "--pin-dir", pin_directory_});
  CommandOptions options;
  options.environment = workspace_.environment();
  return RunCommand(line, options);
}

absl::Status RosterUnderTest::Uninstall() {
  ROSTER_ASSIGN_OR_RETURN(CommandResult result,
                          Call({"uninstall", "--state-dir", state_directory_}));
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("roster uninstall: exit code ", result.exit_code, ": ", result.err));
}

absl::StatusOr<std::map<std::string, json>> RosterUnderTest::List() const {
  ROSTER_ASSIGN_OR_RETURN(CommandResult result, Call({"list", "-o", "json"}));
  if (result.exit_code != 0) {
    return absl::InternalError(
        absl::StrCat("roster list: exit code ", result.exit_code, ": ", result.err));
  }
  json array = json::parse(result.out, nullptr, false);
  if (!array.is_array())
    return absl::InternalError(absl::StrCat("roster list: no array: ", Tail(result.out)));
  std::map<std::string, json> containers;
  for (const json& container : array) {
    // Somebody else on this machine may have containers too.
    if (!absl::StrContains(container.dump(-1, ' ', false, json::error_handler_t::replace),
                           workspace_.unique_name())) {
      continue;
    }
    containers[TextField(container, "runtime", "containerId")] = container;
  }
  return containers;
}

absl::Status RosterUnderTest::AwaitList(
    const std::string& what, absl::Time deadline,
    const std::function<bool(const std::map<std::string, json>&)>& condition) const {
  Ticker ticker(absl::Milliseconds(10));
  absl::Status listed = absl::OkStatus();
  std::string last;
  absl::Status waited = WaitUntil(what, {ticker.fd()}, deadline, [&] {
    ticker.Take();
    auto list = List();
    listed = list.status();
    if (!list.ok()) return true;
    last.clear();
    for (const auto& [id, container] : *list) {
      absl::StrAppend(&last, "\n  ", id, " ", TextField(container, "runtime", "containerName"), " ",
                      TextField(container, "runtime", "runtimeName"));
    }
    return condition(*list);
  });
  if (!listed.ok()) return listed;
  if (waited.ok()) return waited;
  return absl::Status(waited.code(), absl::StrCat(waited.message(), "; the list is:", last));
}

absl::StatusOr<std::unique_ptr<Watch>> RosterUnderTest::StartWatch(
    const std::string& anchor) const {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe for", "roster watch", errno);
  auto watch = std::make_unique<Watch>();
  watch->pipe_.Reset(ends[0]);
  Fd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  CommandOptions options;
  options.environment = workspace_.environment();
  options.stdout_fd = write_end.get();
  options.log_path = workspace_.Path("watch.log");
  ROSTER_ASSIGN_OR_RETURN(watch->process_, Process::Spawn({Program(), "watch", "-o", "json",
                                                           "--existing", "--socket", socket_},
                                                          options));
  ROSTER_RETURN_IF_ERROR(watch->Await("EXISTING", anchor, In(absl::Seconds(10))).status());
  return watch;
}

bool Watch::TakeLine(std::string* line) {
  size_t end = buffer_.find('\n');
  if (end == std::string::npos) return false;
  *line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return true;
}

absl::StatusOr<Watch::Event> Watch::Await(const std::string& type, const std::string& id,
                                          absl::Time deadline) {
  Event event;
  bool ended = false;
  absl::Status waited = WaitUntil(absl::StrCat(type, " of ", id), {pipe_.get()}, deadline, [&] {
    char text[65536];
    ssize_t got;
    while ((got = ::read(pipe_.get(), text, sizeof(text))) > 0) buffer_.append(text, got);
    ended = got == 0;
    event.arrived = absl::Now();
    for (std::string line; TakeLine(&line);) {
      event.json = json::parse(line, nullptr, false);
      if (!event.json.is_object() || event.json.value("event", "") != type) continue;
      if (TextField(event.json.value("container", json::object()), "runtime", "containerId") == id)
        return true;
    }
    event.json = json();
    return ended;
  });
  if (!waited.ok()) return waited;
  if (event.json.is_null()) return absl::UnavailableError("roster watch has ended");
  return event;
}

std::vector<std::string> RosterUnderTest::OpenFiles() const {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(absl::StrCat("/proc/", pid(), "/fd"), ignored)) {
    files.push_back(absl::StrCat(entry.path().filename().string(), " ",
                                 fs::read_symlink(entry, ignored).string()));
  }
  return files;
}

size_t RosterUnderTest::MarkCount() const {
  size_t marks = 0;
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(absl::StrCat("/proc/", pid(), "/fdinfo"), ignored)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      marks += absl::StartsWith(line, "fanotify ino:") ||
               absl::StartsWith(line, "fanotify mnt_id:") ||
               absl::StartsWith(line, "fanotify sdev:");
    }
  }
  return marks;
}

std::string RosterUnderTest::Log() const { return ReadFile(log_path_); }

std::string TextField(const json& container, const std::string& group, const std::string& name) {
  if (!container.is_object() || !container.contains(group)) return "";
  const json& object = container[group];
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : "";
}

uint64_t NumberField(const json& container, const std::string& name) {
  return container.is_object() && container.contains(name) && container[name].is_number_unsigned()
             ? container[name].get<uint64_t>()
             : 0;
}

}  // namespace roster::testing
