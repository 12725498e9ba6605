#include "integration/judge.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "kernel/clock.h"

namespace roster::testing {
namespace {

absl::Status StartOne(Engine* engine, StartMode mode, StartedContainer* container) {
  const ContainerSpec spec{container->name, {MarkerPath(container->marker), "wait"}};
  container->began_ns = MonotonicNs();
  absl::StatusOr<std::string> id =
      mode == StartMode::kRun ? engine->Run(spec) : engine->Create(spec);
  if (!id.ok()) return id.status();
  container->id = *id;
  const bool has_names = engine->Name() == "docker" || engine->Name() == "podman";
  container->shown_name = has_names ? container->name : container->id;
  if (mode == StartMode::kCreateAndStart) {
    absl::Status started = engine->StartCreated(container->name);
    if (!started.ok()) return started;
  }
  container->took = absl::Nanoseconds(static_cast<int64_t>(MonotonicNs() - container->began_ns));
  return absl::OkStatus();
}

// Calls `work` for 0 .. count - 1 in at most `at_once` threads at a time; the first error.
template <typename Work>
absl::Status InBatches(int count, int at_once, const Work& work) {
  std::vector<absl::Status> results(count);
  for (int begin = 0; begin < count; begin += at_once) {
    std::vector<std::thread> threads;
    const int end = std::min(count, begin + at_once);
    for (int i = begin + 1; i < end; ++i) threads.emplace_back([&, i] { results[i] = work(i); });
    results[begin] = work(begin);
    for (std::thread& thread : threads) thread.join();
  }
  for (const absl::Status& result : results) {
    if (!result.ok()) return result;
  }
  return absl::OkStatus();
}

bool IsNamed(const Found& found, const StartedContainer& container) {
  return found.id == container.id &&
         (container.shown_name.empty() || found.name == container.shown_name);
}

void Count(const Found& found, const StartedContainer& container, bool foreign, Tally* tally) {
  if (found.handle == 0) {
    ++tally->missed;
  } else if (foreign || (!found.id.empty() && !IsNamed(found, container))) {
    ++tally->wrong;
  } else if (found.id.empty()) {
    ++tally->unnamed;
  } else {
    ++tally->right;
  }
}

}  // namespace

int StartCount() {
  int count = 0;
  const char* text = std::getenv("ROSTER_TEST_STARTS");
  return text != nullptr && absl::SimpleAtoi(text, &count) && count > 0 ? count : 20;
}

absl::StatusOr<std::vector<StartedContainer>> StartContainers(Engine* engine, StartMode mode,
                                                              int count, int at_once,
                                                              const std::string& prefix,
                                                              int first_marker,
                                                              Observer* observer) {
  std::vector<StartedContainer> containers(count);
  for (int i = 0; i < count; ++i) {
    containers[i].name = absl::StrCat(prefix, i);
    containers[i].marker = (first_marker + i) % kMarkers;
  }
  absl::Status started =
      InBatches(count, at_once, [&](int i) { return StartOne(engine, mode, &containers[i]); });
  if (!started.ok()) return started;
  if (observer == nullptr) return containers;
  for (StartedContainer& container : containers) {
    absl::StatusOr<FirstCall> call = observer->Await(container.marker, In(absl::Seconds(10)));
    if (!call.ok()) return call.status();
    container.call = *std::move(call);
  }
  return containers;
}

absl::Status RemoveContainers(Engine* engine, const std::vector<StartedContainer>& containers,
                              int at_once) {
  return InBatches(static_cast<int>(containers.size()), at_once,
                   [&](int i) { return engine->Remove(containers[i].name); });
}

Verdict Decide(const std::vector<StartedContainer>& containers) {
  Verdict verdict;
  std::set<uint64_t> handles;
  for (const StartedContainer& container : containers) {
    const FirstCall& call = container.call;
    // The container's handle is what the most exact way found; one that an earlier container had is
    // wrong.
    const uint64_t handle = call.by_task.handle != 0    ? call.by_task.handle
                            : call.by_mntns.handle != 0 ? call.by_mntns.handle
                                                        : call.by_cgroup.handle;
    const bool taken = handle != 0 && !handles.insert(handle).second;
    const auto foreign = [&](const Found& found) { return taken || found.handle != handle; };
    Count(call.by_task, container, foreign(call.by_task), &verdict.by_task);
    Count(call.by_mntns, container, foreign(call.by_mntns), &verdict.by_mntns);
    Count(call.by_cgroup, container, foreign(call.by_cgroup), &verdict.by_cgroup);
    for (const auto& [way, found] :
         {std::pair("task", &call.by_task), std::pair("mntns", &call.by_mntns),
          std::pair("cgroup", &call.by_cgroup)}) {
      if (found->handle == handle && !taken && IsNamed(*found, container)) continue;
      verdict.complaints.push_back(
          absl::StrFormat("%s (id %s, rc%d, pid %d, mntns %d): by %s handle %#x state %d "
                          "flags %#x id '%s' name '%s'",
                          container.name, container.id, container.marker, call.pid, call.mntns, way,
                          found->handle, found->state, found->flags, found->id, found->name));
    }
  }
  return verdict;
}

std::string ToText(const Verdict& verdict) {
  std::string text = "right/unnamed/missed/wrong:";
  for (const auto& [way, tally] :
       {std::pair("task", &verdict.by_task), std::pair("mntns", &verdict.by_mntns),
        std::pair("cgroup", &verdict.by_cgroup)}) {
    absl::StrAppend(&text, " ", way, " ", tally->right, "/", tally->unnamed, "/", tally->missed,
                    "/", tally->wrong);
  }
  for (size_t i = 0; i < verdict.complaints.size() && i < 10; ++i) {
    absl::StrAppend(&text, "\n  ", verdict.complaints[i]);
  }
  return text;
}

absl::Duration Quantile(std::vector<absl::Duration> durations, double part) {
  if (durations.empty()) return absl::ZeroDuration();
  std::sort(durations.begin(), durations.end());
  return durations[std::min(durations.size() - 1, static_cast<size_t>(part * durations.size()))];
}

std::vector<absl::Duration> StartTimes(const std::vector<StartedContainer>& containers) {
  std::vector<absl::Duration> times;
  for (const StartedContainer& container : containers) times.push_back(container.took);
  return times;
}

}  // namespace roster::testing
