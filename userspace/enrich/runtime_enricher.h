// RuntimeEnricher is what WithContainerRuntimeEnrichment adds to a collection: it asks the engines
// that the caller named.
#ifndef ROSTER_USERSPACE_ENRICH_RUNTIME_ENRICHER_H_
#define ROSTER_USERSPACE_ENRICH_RUNTIME_ENRICHER_H_

#include <roster/collection.h>
#include <roster/options.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "enrich/engine_client.h"
#include "enrich/enricher.h"
#include "kernel/mutex.h"

namespace roster {

class RuntimeEnricher {
 public:
  struct Engine {
    std::string name;
    std::string host_root;
    std::shared_ptr<EngineClient> client;
  };

  struct Surroundings {
    ContainerCollection* collection = nullptr;           // must outlive it
    std::function<absl::Status(Container)> add_initial;  // CollectionSetup::InitialAdder()
    std::function<void(std::string_view)> warn;
    bool hooked = false;  // runtimes may be held while Enrich runs
    // Before an engine that did not answer is asked again for its list; each time twice as long, up
    // to 30 s.
    absl::Duration list_again = absl::Seconds(1);
  };

  RuntimeEnricher(std::vector<Engine> engines, Surroundings surroundings);
  ~RuntimeEnricher() { Stop(); }
  RuntimeEnricher(const RuntimeEnricher&) = delete;
  RuntimeEnricher& operator=(const RuntimeEnricher&) = delete;

  void Start();
  // Ends what runs in the background; the collection is not called afterwards.
  void Stop();

  // The running and paused containers of an engine. Where it does not answer, a warning; it is
  // asked again in the background, and what it then has is added to the collection.
  std::vector<Container> Initial(const Engine& engine);

  // Asks at once, where that is allowed. False: it is a sandbox. Thread-safe.
  bool Enrich(Container* container);

  // A container is in the collection now: what is still missing is asked for in the background.
  // Does not block. Thread-safe.
  void Follow(const PubSubEvent& event);

 private:
  // UNAVAILABLE when the engine went away: `containers` has what was had so far, or, where it did
  // not answer about a pod alone, all of them, some without their pods' labels.
  absl::Status List(const Engine& engine, std::vector<Container>* containers);
  void Late(const LateResult& result);
  // To the container in the collection that is the same as this one, for an id alone may be another
  // engine's too.
  void Give(const Container& from);
  void Remove(const Container& container);
  void ListLater(const Engine& engine);
  void ListLoop();

  const std::vector<Engine> engines_;
  const Surroundings around_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Engine> to_list_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<LateEnricher> late_ ABSL_GUARDED_BY(mutex_);
  // By engine: left alone until then, for it did not answer.
  std::vector<absl::Time> away_until_ ABSL_GUARDED_BY(mutex_);
  std::thread lister_;  // there once an engine had to be asked again
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_RUNTIME_ENRICHER_H_
