// Selectors from outside: the extended grammar, the reference's, and column filters. Whatever the
// text, compiling ends in a selector or in an error that points into the text, and matching does
// not depend on the way it is done.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "roster/collection.h"
#include "roster/columns.h"
#include "roster/selector.h"

namespace roster {
namespace {

ContainerCollection& TheCollection() {
  static ContainerCollection& collection = *[] {
    auto* made = new ContainerCollection;
    if (!made->Initialize().ok()) std::abort();
    for (int i = 0; i < 6; ++i) {
      Container c;
      c.runtime.container_id = std::string(1 + i, 'a');
      c.runtime.runtime_name = i % 2 == 0 ? "docker" : "";
      c.k8s.namespace_name = i < 3 ? "a" : "b";
      c.k8s.pod_name = i < 4 ? "p" : "";
      if (i > 0) c.k8s.pod_labels = {{"a", i < 3 ? "b" : ""}, {"n", std::to_string(i)}};
      if (!made->AddContainer(c).ok()) std::abort();
    }
    return made;
  }();
  return collection;
}

void Check(const ContainerSelector& selector) {
  const absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
  if (!compiled.ok()) {
    if (!absl::IsInvalidArgument(compiled.status())) std::abort();
    return;
  }
  size_t matches = 0;
  TheCollection().ContainerRange(
      [&](const ContainerPtr& c) { matches += compiled->Matches(*c) ? 1 : 0; });
  // The indexes give what going through all containers gives.
  if (TheCollection().GetContainersBySelector(*compiled).size() != matches) std::abort();
}

}  // namespace
}  // namespace roster

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  roster::ContainerSelector where;
  where.where = std::string(text);
  roster::Check(where);

  // "namespace\0pod\0label" in the reference's grammar.
  roster::ContainerSelector old;
  const size_t first = text.find('\0');
  old.k8s.namespace_name = std::string(text.substr(0, first));
  if (first != std::string_view::npos) {
    const std::string_view rest = text.substr(first + 1);
    const size_t second = rest.find('\0');
    old.k8s.pod_name = std::string(rest.substr(0, second));
    if (second != std::string_view::npos) {
      old.k8s.pod_labels = roster::ParseLabelFilters(rest.substr(second + 1));
    }
  }
  roster::Check(old);

  static const roster::Columns& columns = *new roster::Columns(roster::GetColumns());
  const auto filter = roster::ParseColumnFilter(columns, text);
  if (filter.ok()) (void)(*filter)(roster::Container());
  (void)columns.Choose(text);
  return 0;
}
