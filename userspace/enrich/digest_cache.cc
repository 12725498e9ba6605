#include "enrich/digest_cache.h"

#include <algorithm>

#include "kernel/clock.h"

namespace roster {
namespace {

constexpr size_t kMaxEntries = 1024;
constexpr absl::Duration kEmptyAnswer = absl::Minutes(1);
constexpr int kLeftAloneFor = 5;  // times what a failure took
constexpr absl::Duration kLeftAloneAtMost = absl::Minutes(1);

}  // namespace

absl::StatusOr<std::string> DigestCache::Get(
    const std::string& key, const std::function<absl::StatusOr<std::string>()>& ask) {
  const absl::Time now = SteadyNow();
  {
    MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.expires > now) return found->second.value;
    if (away_until_ > now) return away_;
  }
  absl::StatusOr<std::string> answer = ask();
  MutexLock lock(&mutex_);
  if (absl::IsUnavailable(answer.status())) {
    const absl::Time end = SteadyNow();
    away_ = answer.status();
    away_until_ = end + std::min(kLeftAloneFor * (end - now), kLeftAloneAtMost);
  }
  if (!answer.ok()) return answer;
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_[key] = {*answer, answer->empty() ? now + kEmptyAnswer : absl::InfiniteFuture()};
  return answer;
}

}  // namespace roster
