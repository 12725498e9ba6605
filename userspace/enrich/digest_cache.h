// DigestCache remembers for an image what its engine had to be asked for.
#ifndef ROSTER_USERSPACE_ENRICH_DIGEST_CACHE_H_
#define ROSTER_USERSPACE_ENRICH_DIGEST_CACHE_H_

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/mutex.h"

namespace roster {

// Thread-safe. At most 1,024 entries; a full cache is emptied.
class DigestCache {
 public:
  // "" is an answer too (an image that came from no registry has no digest), kept for a minute: the
  // image may be pushed. Errors are not kept; but an engine that is UNAVAILABLE for images, which
  // may answer everything else, is left alone for some times as long as that took, a minute at
  // most: the same error at once. `ask` runs without the lock.
  absl::StatusOr<std::string> Get(const std::string& key,
                                  const std::function<absl::StatusOr<std::string>()>& ask);

 private:
  struct Entry {
    std::string value;
    absl::Time expires;
  };
  Mutex mutex_;
  absl::Status away_ ABSL_GUARDED_BY(mutex_);  // the last UNAVAILABLE
  absl::Time away_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_DIGEST_CACHE_H_
