#include "collection/pod_members.h"

#include <algorithm>
#include <new>

#include "absl/algorithm/container.h"
#include "absl/container/inlined_vector.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROSTER_HAS_LSAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ROSTER_HAS_LSAN
#endif
#ifdef ROSTER_HAS_LSAN
#include <sanitizer/lsan_interface.h>
#endif

namespace roster::collection_internal {
namespace {

struct Named {
  std::string_view name;
  PodMembers::Member member;
};

Named NamedOf(const Entry& entry) {
  const Container& c = entry.container;
  const std::string_view name = c.k8s.container_name;
  return {name, {&entry, c.mntns, c.runtime.container_pid, static_cast<uint32_t>(name.size()), 0}};
}

}  // namespace

PodMembers* PodMembers::New(const PodMembers* old, const Entry* leaving, const Entry* joining) {
  absl::InlinedVector<Named, 16> all;
  bool joined = joining == nullptr;
  if (old != nullptr) {
    old->ForEach([&](std::string_view name, const Member& member) {
      if (member.entry != leaving) {
        all.push_back({name, member});
      } else if (!joined && joining->container.k8s.container_name == name) {
        all.push_back(NamedOf(*joining));
        joined = true;
      }
    });
  }
  if (!joined) {
    const Named named = NamedOf(*joining);
    const auto place =
        std::upper_bound(all.begin(), all.end(), named,
                         [](const Named& a, const Named& b) { return a.name < b.name; });
    all.insert(place, named);
  }
  if (all.empty()) return nullptr;

  size_t text = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    text += all[i].name.size();
    all[i].member.hidden = i + 1 < all.size() && all[i].name == all[i + 1].name;
  }
  const PodKey pod = PodKeyOf(*all.front().member.entry);
  const size_t key = pod.namespace_name.size() + pod.name.size();
  void* memory =
      ::operator new(sizeof(PodMembers) + KeySpace(key) + all.size() * sizeof(Member) + text);
#ifdef ROSTER_HAS_LSAN
  // Of a collection that lives as long as the program nothing but the index leads here, in whose
  // words the pointers are not to be recognized.
  __lsan_ignore_object(memory);
#endif
  auto* members = new (memory) PodMembers(all.size(), pod);
  char* place = reinterpret_cast<char*>(members + 1);
  absl::c_copy(pod.name, absl::c_copy(pod.namespace_name, place));
  place += KeySpace(key);
  for (const Named& named : all) {
    new (place) Member(named.member);
    place += sizeof(Member);
  }
  for (const Named& named : all) place = absl::c_copy(named.name, place);
  return members;
}

void PodMembers::Free(void* members) { ::operator delete(members); }

}  // namespace roster::collection_internal
