// FakeCriEngine is no engine: a gRPC server that answers CRI's questions about two made-up
// containers.
#ifndef ROSTER_TESTS_UNIT_ENRICH_FAKE_CRI_ENGINE_H_
#define ROSTER_TESTS_UNIT_ENRICH_FAKE_CRI_ENGINE_H_

#include <map>
#include <memory>
#include <string>

namespace roster {

// "container-a", image sha256:d1, in "sandbox-a", pod "pod-a" of "ns-a" with label app=web; and
// "container-b", whose sandbox is missing. Its filters take prefixes, as containerd's do.
class FakeCriEngine {
 public:
  explicit FakeCriEngine(const std::string& socket);
  ~FakeCriEngine();

  // Of container-a.
  void SetInfo(std::map<std::string, std::string> info);
  void SetState(int state);

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_ENRICH_FAKE_CRI_ENGINE_H_
