#include "enrich/digest_cache.h"

#include "absl/time/clock.h"

namespace roster {
namespace {

constexpr size_t kMaxEntries = 1024;
constexpr absl::Duration kEmptyAnswer = absl::Minutes(1);

}  // namespace

absl::StatusOr<std::string> DigestCache::Get(
    const std::string& key, const std::function<absl::StatusOr<std::string>()>& ask) {
  const absl::Time now = absl::Now();
  {
    MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.expires > now) return found->second.value;
  }
  absl::StatusOr<std::string> answer = ask();
  if (!answer.ok()) return answer;
  MutexLock lock(&mutex_);
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_[key] = {*answer, answer->empty() ? now + kEmptyAnswer : absl::InfiniteFuture()};
  return answer;
}

}  // namespace roster
