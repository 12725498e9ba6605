// roster lookup: whose a process, namespace or cgroup is; from the pins alone.
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/entries.h"
#include "cli/flags.h"
#include "cli/identity.h"
#include "cli/output.h"
#include "cli/render.h"
#include "kernel/errors.h"
#include "roster/reader.h"

namespace roster::cli {
namespace {

constexpr char kLookupExamples[] = R"(  roster lookup --pid 4711
  roster lookup --mntns $(stat -L -c %i /proc/4711/ns/mnt)
  roster lookup --netns 'net:[4026532008]' -o json
  roster lookup --cgroup /sys/fs/cgroup/system.slice/docker-4f3a.scope
)";

struct LookupOptions {
  Paths paths;
  std::string pid;
  std::string mntns;
  std::string netns;
  std::string cgroup;
  std::string output = "table";
  bool no_headers = false;
};

// The member, and in `what` who was asked for.
absl::StatusOr<std::optional<Member>> Find(const LookupOptions& options, std::string* what) {
  if (!options.pid.empty()) {
    *what = absl::StrCat("process ", options.pid);
    ROSTER_ASSIGN_OR_RETURN(const int pid, ParsePid(options.pid));
    ROSTER_ASSIGN_OR_RETURN(Reader reader, Reader::Open(options.paths.pin_dir));
    return reader.FindByPid(pid);
  }
  if (!options.mntns.empty()) {
    *what = absl::StrCat("mount namespace ", options.mntns);
    ROSTER_ASSIGN_OR_RETURN(const uint64_t inode, ParseNamespace("mnt", options.mntns));
    ROSTER_ASSIGN_OR_RETURN(Reader reader, Reader::Open(options.paths.pin_dir));
    return reader.FindByMntns(inode);
  }
  if (!options.netns.empty()) {
    *what = absl::StrCat("network namespace ", options.netns);
    ROSTER_ASSIGN_OR_RETURN(const uint64_t inode, ParseNamespace("net", options.netns));
    ROSTER_ASSIGN_OR_RETURN(Reader reader, Reader::Open(options.paths.pin_dir));
    return reader.FindByNetns(inode);
  }
  *what = absl::StrCat("cgroup ", options.cgroup);
  ROSTER_ASSIGN_OR_RETURN(const uint64_t id, ParseCgroup(options.cgroup));
  ROSTER_ASSIGN_OR_RETURN(Reader reader, Reader::Open(options.paths.pin_dir));
  return reader.FindByCgroup(id);
}

absl::Status Lookup(const LookupOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(options.output));
  std::string what;
  absl::StatusOr<std::optional<Member>> member = Find(options, &what);
  if (!member.ok()) {
    // Exit code 3 is for "nobody", not for missing pins.
    if (absl::IsNotFound(member.status()) && absl::StartsWith(member.status().message(), "pin")) {
      return absl::UnavailableError(member.status().message());
    }
    return member.status();
  }
  if (!member->has_value()) {
    return absl::NotFoundError(absl::StrCat(what, ": in no container"));
  }
  Print(RenderOne(format, !options.no_headers, EntryFromMember(**member)));
  return absl::OkStatus();
}

}  // namespace

Command LookupCommand() {
  const auto options = std::make_shared<LookupOptions>();
  Command command{
      .name = "lookup",
      .description =
          "Say whose a process, namespace or cgroup is; needs the pinned maps, not the daemon",
      .examples = kLookupExamples,
      .run = [options] { return Finish(Lookup(*options)); }};
  const auto add_who = [&](const char* name, std::string* value, const char* type,
                           const char* help) {
    command.options.push_back({name, value, type, help, "Who", /*one_of=*/true});
  };
  add_who("--pid", &options->pid, "PID", "Process id");
  add_who("--mntns", &options->mntns, "INODE", "Inode number of a mount namespace");
  add_who("--netns", &options->netns, "INODE", "Inode number of a network namespace");
  add_who("--cgroup", &options->cgroup, "ID|PATH", "Cgroup id, or a cgroup's directory");
  command.options.push_back(
      {"-o,--output", &options->output, "FORMAT", "table, wide, json, yaml, or columns=NAME,..."});
  command.options.push_back({"--no-headers", &options->no_headers, "", "Leave the header out"});
  AddPinDirOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli
