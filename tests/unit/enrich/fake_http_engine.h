// FakeHttpEngine is no engine: a server on a unix socket that answers with the bytes a test gives
// it.
#ifndef ROSTER_TESTS_UNIT_ENRICH_FAKE_HTTP_ENGINE_H_
#define ROSTER_TESTS_UNIT_ENRICH_FAKE_HTTP_ENGINE_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "kernel/fd.h"

namespace roster {

// Serves one connection after the other, from construction to destruction.
class FakeHttpEngine {
 public:
  // Given the path of a GET, or "" for bytes that are none, what to send back before closing. Runs
  // on the server's thread.
  using Answer = std::function<std::string(const std::string& path)>;

  FakeHttpEngine(const std::string& socket, Answer answer);
  ~FakeHttpEngine();

  const std::string& socket() const { return socket_; }
  std::vector<std::string> requests() const;

  // A whole HTTP reply.
  static std::string Reply(const std::string& body, const std::string& status = "200 OK");
  // In an Answer: never answers, until the engine is destroyed.
  void Hang();
  // In an Answer: waits until who asked gives up, or the engine is destroyed.
  void HangThisOne();

 private:
  void Serve();
  void ServeOne(int connection);

  const std::string socket_;
  const Answer answer_;
  Fd listener_;
  Fd stop_;              // an eventfd
  int connection_ = -1;  // that is being answered; the server's thread alone has it
  mutable absl::Mutex mutex_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_ENRICH_FAKE_HTTP_ENGINE_H_
