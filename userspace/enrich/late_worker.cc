#include "enrich/late_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "enrich/ask_engine.h"
#include "enrich/podman_state.h"
#include "kernel/clock.h"
#include "process/proc_task.h"
#include "runtime/oci_spec.h"
#include "text/quote.h"
#include "text/string_view.h"
#include "text/utf8.h"

namespace roster {
namespace {

// An engine that is there and does not know the container is asked again this often: it may be
// about to enter it in its tables.
constexpr size_t kTriesForUnknown = 3;

// What files tell: again for those that nobody held, and what was too slow for the hold.
void FillFromFiles(const LateEnricherOptions& options, LateResult* result) {
  Container& container = result->container;
  const RuntimeMetadata& runtime = container.runtime;
  if (runtime.container_name.empty() || runtime.container_image_name.empty()) {
    const absl::StatusOr<OciSpec> spec = ParseOciSpec(container.oci_config);
    if (FillFromEngineState(spec.ok() ? *spec : OciSpec(), container.bundle, &container,
                            options.host_root)) {
      result->changed = true;
    }
  }
  if (runtime.container_image_digest.empty() && !runtime.container_image_id.empty()) {
    const PodmanStore store =
        ParsePodmanBundle(absl::StrCat(options.host_root, ToAbsl(container.bundle)));
    if (store.empty()) return;
    const absl::StatusOr<std::string> digest =
        ReadPodmanImageDigest(store, runtime.container_image_id);
    if (!digest.ok() || digest->empty()) return;
    container.runtime.container_image_digest = ToValidUtf8(*digest);
    result->changed = true;
  }
}

}  // namespace

LateEnricher::Worker::Worker(LateEnricherOptions options)
    : options_(std::move(options)), directory_(options_), thread_([this] { Run(); }) {}

LateEnricher::Worker::~Worker() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

absl::Status LateEnricher::Worker::Enqueue(Container container, Done done) {
  MutexLock lock(&mutex_);
  if (queue_.size() >= options_.max_queue) {
    ++stats_.refused;
    return absl::ResourceExhaustedError(
        absl::StrCat("enqueue container ", QuoteForMessage(container.runtime.container_id),
                     ": the queue of the late enricher is full (", options_.max_queue, ")"));
  }
  ++stats_.enqueued;
  queue_.emplace(absl::InfinitePast(), Entry{{.container = std::move(container)}, std::move(done)});
  changed_.Signal();
  return absl::OkStatus();
}

LateEnricherStats LateEnricher::Worker::Stats() const {
  MutexLock lock(&mutex_);
  return stats_;
}

void LateEnricher::Worker::Run() {
  mutex_.Lock();
  while (!stopping_) {
    if (queue_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const absl::Time due = queue_.begin()->first;
    if (due > SteadyNow()) {
      changed_.WaitWithDeadline(&mutex_, due);
      continue;
    }
    Entry entry = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    mutex_.Unlock();
    absl::Time again_at;
    const bool was_slow = entry.slow;
    const Verdict verdict = Try(&entry, &again_at);
    const bool became_slow = entry.slow && !was_slow;
    if (verdict == Verdict::kDone) {
      entry.done(std::move(entry.result));
    } else if (became_slow || entry.result.changed) {
      GiveSoFar(&entry, became_slow ? entry.result.status : absl::OkStatus());
    }
    mutex_.Lock();
    if (verdict == Verdict::kDone) {
      ++stats_.done;
      if (entry.slow) --slow_;
    } else {
      queue_.emplace(again_at, std::move(entry));
    }
  }
  mutex_.Unlock();
}

absl::Duration LateEnricher::Worker::WaitAfter(size_t tries) const {
  if (options_.retries.empty()) return absl::ZeroDuration();
  if (tries <= options_.retries.size()) return options_.retries[tries - 1];
  absl::Duration wait = options_.retries.back();
  for (size_t i = options_.retries.size(); i < tries && wait < options_.slowest; ++i) wait *= 2;
  return std::max(options_.retries.back(), std::min(wait, options_.slowest));
}

bool LateEnricher::Worker::Lives(const Container& container) const {
  if (options_.lives) return options_.lives(container);
  if (container.runtime.container_pid == 0) return false;
  const absl::StatusOr<ProcTask> init =
      ProcTask::Open(static_cast<pid_t>(container.runtime.container_pid), options_.proc_root);
  if (!init.ok()) return false;
  if (container.mntns == 0) return true;
  const absl::StatusOr<uint64_t> mntns = init->NamespaceInode(NamespaceKind::kMnt);
  return mntns.ok() && *mntns == container.mntns;  // else the number is another's by now
}

bool LateEnricher::Worker::GoesOnSlowly(Entry* entry) {
  if (entry->slow) return true;
  if (entry->known || options_.retries.empty() || !Lives(entry->result.container)) return false;
  MutexLock lock(&mutex_);
  if (slow_ >= options_.max_queue / 2) return false;
  ++slow_;
  entry->slow = true;
  return true;
}

void LateEnricher::Worker::GiveSoFar(Entry* entry, absl::Status status) {
  LateResult so_far = entry->result;
  so_far.status = std::move(status);
  so_far.last = false;
  entry->result.changed = false;
  entry->done(std::move(so_far));
}

EngineAnswer LateEnricher::Worker::Ask(EngineClient* client, Entry* entry) {
  EngineAnswer answer = AskEngine(client, &entry->result.container);
  entry->result.status = answer.status;
  if (!answer.is_sandbox) entry->result.status.Update(answer.image_status);
  entry->result.changed |= answer.changed;
  entry->result.is_sandbox = answer.is_sandbox;
  MutexLock lock(&mutex_);
  stats_.requests += answer.requests;
  if (!entry->result.status.ok() && !absl::IsNotFound(entry->result.status)) ++stats_.failures;
  return answer;
}

LateEnricher::Worker::Verdict LateEnricher::Worker::Try(Entry* entry, absl::Time* again_at) {
  if (entry->tries++ == 0) FillFromFiles(options_, &entry->result);
  entry->result.status = absl::OkStatus();
  if (entry->slow && !Lives(entry->result.container)) {
    entry->result.status = absl::NotFoundError("it ended before its engine answered");
    return Verdict::kDone;
  }
  if (!NeedsEngine(entry->result.container)) return Verdict::kDone;
  const std::string id = entry->result.container.runtime.container_id;
  absl::Status away;  // of an engine that did not answer: it may be the one that knows
  *again_at = SteadyNow() + WaitAfter(entry->tries);
  for (EngineDirectory::Engine* engine : directory_.EnginesFor(entry->result.container)) {
    Pause& pause = pauses_[engine->socket];
    if (pause.until > SteadyNow()) {
      *again_at = std::max(*again_at, pause.until);
      away.Update(absl::UnavailableError(absl::StrCat(engine->socket, ": did not answer lately")));
      continue;
    }
    const EngineAnswer answer = Ask(engine->client.get(), entry);
    entry->known |= answer.known;
    // One that only cannot tell of images is not left alone.
    if (absl::IsUnavailable(answer.status)) {
      pause.until = SteadyNow() + WaitAfter(++pause.failures);
      *again_at = std::max(*again_at, pause.until);
    } else {
      pause = {};
    }
    if (entry->result.status.ok()) return Verdict::kDone;
    if (!absl::IsNotFound(entry->result.status)) away.Update(entry->result.status);
    if (answer.known) break;  // the others have no such container
  }
  const bool retries_left = entry->tries <= options_.retries.size();
  if (!away.ok()) {
    entry->result.status = away;
    if (retries_left) return Verdict::kTryAgain;
    return absl::IsUnavailable(away) && GoesOnSlowly(entry) ? Verdict::kTryAgain : Verdict::kDone;
  }
  if (entry->result.status.ok()) {
    if (entry->result.container.runtime.IsEnriched()) return Verdict::kDone;
    entry->result.status =
        absl::NotFoundError(absl::StrCat("no engine to ask about ", QuoteForMessage(id)));
    return Verdict::kDone;
  }
  const bool expected = IsEngineName(entry->result.container.runtime.runtime_name);
  return expected && retries_left && entry->tries < kTriesForUnknown ? Verdict::kTryAgain
                                                                     : Verdict::kDone;
}

}  // namespace roster
