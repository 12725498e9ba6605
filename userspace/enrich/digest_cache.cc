#include "enrich/digest_cache.h"

#include "absl/time/clock.h"

namespace roster {
namespace {

constexpr size_t kMaxEntries = 1024;
constexpr absl::Duration kEmptyAnswer = absl::Minutes(1);
constexpr int kLeftAloneFor = 5;  // times what a failure took

}  // namespace

absl::StatusOr<std::string> DigestCache::Get(
    const std::string& key, const std::function<absl::StatusOr<std::string>()>& ask) {
  const absl::Time now = absl::Now();
  {
    MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.expires > now) return found->second.value;
    if (away_until_ > now) {
      return absl::UnavailableError("did not answer about an image lately");
    }
  }
  absl::StatusOr<std::string> answer = ask();
  MutexLock lock(&mutex_);
  if (absl::IsUnavailable(answer.status())) {
    const absl::Time end = absl::Now();
    away_until_ = end + kLeftAloneFor * (end - now);
  }
  if (!answer.ok()) return answer;
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_[key] = {*answer, answer->empty() ? now + kEmptyAnswer : absl::InfiniteFuture()};
  return answer;
}

}  // namespace roster
