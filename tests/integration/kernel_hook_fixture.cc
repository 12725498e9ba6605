#include "integration/kernel_hook_fixture.h"

#include "engines/workspace.h"

namespace roster::testing {
namespace {

class Site : public ::testing::Environment {
 public:
  void TearDown() override {
    if (site.workspace == nullptr) return;
    site.observer.reset();
    site.hook.reset();
    site.roster.reset();
    const std::string directory = site.workspace->directory();
    site.workspace.reset();
    EXPECT_THAT(FindLeftovers(directory), ::testing::IsEmpty());
  }

  KernelHookSite site;
};

// GoogleTest owns it.
Site* const site = static_cast<Site*>(::testing::AddGlobalTestEnvironment(new Site));

}  // namespace

KernelHookSite& SharedKernelHookSite() { return site->site; }

}  // namespace roster::testing
