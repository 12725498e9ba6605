// Hold is a directory with one marked executable, its fanotify group and a keeper.
#ifndef ROSTER_TESTS_UNIT_HOOK_HOLD_FIXTURE_H_
#define ROSTER_TESTS_UNIT_HOOK_HOLD_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "held_exec.h"
#include "hook/fanotify_group.h"
#include "hook/keeper.h"

namespace roster {

// Longer than any test may take: an expiry would be the failure.
inline constexpr absl::Duration kNever = absl::Seconds(60);
inline constexpr absl::Duration kPatience = absl::Seconds(20);

struct Hold {
  explicit Hold(KeeperOptions options) : executable(MakeExecutable(directory / "runc")) {
    auto created = FanotifyGroup::Create();
    EXPECT_TRUE(created.ok()) << created.status();
    group = std::make_unique<FanotifyGroup>(*std::move(created));
    const auto marked = group->MarkExecutable(executable);
    EXPECT_TRUE(marked.ok()) << marked.status();
    file = *marked;
    auto started = Keeper::Start(group->fd(), options);
    EXPECT_TRUE(started.ok()) << started.status();
    keeper = *std::move(started);
  }

  // Dispatches until `done`; false when it takes too long.
  bool DispatchUntil(const std::function<bool()>& done,
                     const std::function<void(const HeldEvent&)>& on_event) {
    const absl::Time end = absl::Now() + kPatience;
    while (!done()) {
      if (absl::Now() > end || !WaitReadable(keeper->fd(), end - absl::Now())) return false;
      keeper->Dispatch(on_event);
    }
    return true;
  }

  // Dispatches until no slot is in use: a process goes on before the keeper has closed its event's
  // fd.
  bool DispatchUntilIdle() {
    return DispatchUntil([&] { return keeper->Stats().holding == 0; }, [](const HeldEvent&) {});
  }

  std::vector<HeldEvent> Collect(size_t count) {
    std::vector<HeldEvent> events;
    EXPECT_TRUE(DispatchUntil([&] { return events.size() >= count; },
                              [&](const HeldEvent& event) { events.push_back(event); }));
    return events;
  }

  TempDir directory;
  std::string executable;
  FileId file;
  std::unique_ptr<FanotifyGroup> group;
  std::unique_ptr<Keeper> keeper;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_HOOK_HOLD_FIXTURE_H_
