// LateEnricher's last answer, waited for.
#ifndef ROSTER_TESTS_UNIT_ENRICH_LATE_RESULT_H_
#define ROSTER_TESTS_UNIT_ENRICH_LATE_RESULT_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "enrich/enricher.h"
#include "gtest/gtest.h"

namespace roster::testing {

inline LateResult Enriched(LateEnricher* late, Container container) {
  absl::Notification done;
  LateResult result;
  const absl::Status queued = late->Enqueue(std::move(container), [&](LateResult r) {
    r.changed = r.changed || result.changed;
    result = std::move(r);
    if (result.last) done.Notify();
  });
  EXPECT_TRUE(queued.ok()) << queued;
  if (queued.ok()) done.WaitForNotification();
  return result;
}

}  // namespace roster::testing

#endif  // ROSTER_TESTS_UNIT_ENRICH_LATE_RESULT_H_
