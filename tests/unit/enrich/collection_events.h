// A collection's events as text, waited for.
#ifndef ROSTER_TESTS_UNIT_ENRICH_COLLECTION_EVENTS_H_
#define ROSTER_TESTS_UNIT_ENRICH_COLLECTION_EVENTS_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "roster/collection.h"

namespace roster::testing {

// Outlives the collection.
class CollectionEvents {
 public:
  Option Subscribe() {
    return WithPubSub({[this](const PubSubEvent& event) {
      absl::MutexLock lock(&mutex_);
      events_.push_back(absl::StrCat(std::string(EventTypeName(event.type)), " ",
                                     event.container->runtime.container_name));
    }});
  }
  // Whether "CREATED web" or the like comes.
  bool Await(const std::string& event) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return std::find(events_.begin(), events_.end(), event) != events_.end();
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(60));
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_UNIT_ENRICH_COLLECTION_EVENTS_H_
