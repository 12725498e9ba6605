#include "tracker/identity_finder.h"

#include <iterator>
#include <memory>
#include <utility>

#include "absl/time/time.h"

namespace roster {
namespace {

constexpr absl::Duration kDelays[] = {absl::Milliseconds(5), absl::Milliseconds(50),
                                      absl::Milliseconds(500), absl::Seconds(3)};

}  // namespace

struct IdentityFinder::Search {
  pid_t pid = 0;
  size_t delay = 0;  // which of kDelays comes next
  std::function<bool()> wanted;
  std::function<void(absl::StatusOr<Identity>)> done;
};

IdentityFinder::IdentityFinder(EventLoop* loop, std::string roots_file)
    : loop_(loop), roots_(std::move(roots_file)) {}

absl::StatusOr<Identity> IdentityFinder::FindNow(pid_t pid) const {
  return IdentifyRunning(pid, {.state_roots = roots_.All()});
}

void IdentityFinder::Find(pid_t pid, Effort effort, std::function<bool()> wanted,
                          std::function<void(absl::StatusOr<Identity>)> done) {
  auto search = std::make_shared<Search>();
  search->pid = pid;
  search->delay = effort == Effort::kOnce ? std::size(kDelays) : 0;
  search->wanted = std::move(wanted);
  search->done = std::move(done);
  Look(std::move(search));
}

void IdentityFinder::Look(std::shared_ptr<Search> search) {
  worker_.Post([this, search = std::move(search), roots = roots_.All()]() mutable {
    absl::StatusOr<Identity> identity =
        IdentifyRunning(search->pid, {.state_roots = std::move(roots)});
    loop_->Post([this, search = std::move(search), identity = std::move(identity)]() mutable {
      Looked(search, std::move(identity));
    });
  });
}

void IdentityFinder::Looked(const std::shared_ptr<Search>& search,
                            absl::StatusOr<Identity> identity) {
  if (!search->wanted()) return;
  if (identity.ok() || search->delay == std::size(kDelays)) {
    search->done(std::move(identity));
    return;
  }
  loop_->RunAfter(kDelays[search->delay++], [this, search] { Look(search); });
}

}  // namespace roster
