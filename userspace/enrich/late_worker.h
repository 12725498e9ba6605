// The thread behind LateEnricher: its queue, and when to ask again.
#ifndef ROSTER_USERSPACE_ENRICH_LATE_WORKER_H_
#define ROSTER_USERSPACE_ENRICH_LATE_WORKER_H_

#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "enrich/ask_engine.h"
#include "enrich/engine_directory.h"
#include "enrich/enricher.h"
#include "kernel/mutex.h"

namespace roster {

class LateEnricher::Worker {
 public:
  explicit Worker(LateEnricherOptions options);
  ~Worker();

  absl::Status Enqueue(Container container, Done done);
  LateEnricherStats Stats() const;

 private:
  struct Entry {
    LateResult result;
    Done done;
    size_t tries = 0;
    bool known = false;  // an engine has answered that it has it
    bool slow = false;   // there were tries enough, and it is asked about all the same
  };
  // How an engine that did not answer is left alone.
  struct Pause {
    absl::Time until;
    size_t failures = 0;
  };
  enum class Verdict { kDone, kTryAgain };
  // Gives what was had so far; the container stays in the entry.
  static void GiveSoFar(Entry* entry, absl::Status status);

  void Run();
  // Asks the engines in turn; sets the entry's status and, for kTryAgain, when.
  Verdict Try(Entry* entry, absl::Time* again_at);
  // Sets the entry's status.
  EngineAnswer Ask(EngineClient* client, Entry* entry);
  absl::Duration WaitAfter(size_t tries) const;
  bool Lives(const Container& container) const;
  // Whether the entry may wait for its engine for as long as the container lives.
  bool GoesOnSlowly(Entry* entry);

  const LateEnricherOptions options_;
  EngineDirectory directory_;                       // the thread's own
  absl::flat_hash_map<std::string, Pause> pauses_;  // by socket; the thread's own

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // By the time at which it is due, in order of arrival where that is the same.
  std::multimap<absl::Time, Entry> queue_ ABSL_GUARDED_BY(mutex_);
  size_t slow_ ABSL_GUARDED_BY(mutex_) = 0;  // entries, that at work included
  LateEnricherStats stats_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_LATE_WORKER_H_
