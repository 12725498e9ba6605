// Check is one line of `roster doctor`: what was looked at, how it is, and what to do.
#ifndef ROSTER_USERSPACE_CLI_DOCTOR_CHECK_H_
#define ROSTER_USERSPACE_CLI_DOCTOR_CHECK_H_

#include <string>
#include <vector>

#include "cli/entries.h"

namespace roster::cli {

enum class Verdict {
  kGood,
  kInfo,     // neither good nor bad, worth knowing
  kWarning,  // something works worse, or not everywhere
  kFailure,  // Roster does not work like this
};

struct Check {
  std::string name;
  Verdict verdict = Verdict::kGood;
  std::string detail;
  std::string advice;  // what to do; "" where there is nothing to be done
};

using Checks = std::vector<Check>;

// Each looks at one thing of this host, changes nothing that outlives it, and never fails: what
// cannot be found out is a warning that says why.
Check CheckPrivileges();
Check CheckKernelVersion();
Check CheckBtf();
Check CheckBpfFilesystem(const Paths& paths);
Check CheckTracingPrograms();
Check CheckFanotify();
Check CheckPidNamespace();
Check CheckPtrace();
Check CheckNamespaceIds();
Check CheckCgroups();
Checks CheckRuntimes();
Check CheckDaemon(const Paths& paths);
Check CheckPins(const Paths& paths);
// One for each counter of roster_stats that tells of trouble and is not 0; one good one where all
// are.
Checks CheckCounters(const Paths& paths);

// The counters that tell of trouble, by number, and what each means; "" for those that do not.
struct CounterMeaning {
  const char* name;
  const char* meaning;
  const char* advice;
};
CounterMeaning MeaningOf(uint32_t stat);

Checks AllChecks(const Paths& paths);

std::string ChecksText(const Checks& checks, bool colour);
std::string ChecksJson(const Checks& checks);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_DOCTOR_CHECK_H_
