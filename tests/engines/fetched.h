// Fetched programs are those that Debian lacks, or that no test run should install: explicit
// scripts (scripts/fetch-*) put them into Roster's cache, outside the tree.
#ifndef ROSTER_TESTS_ENGINES_FETCHED_H_
#define ROSTER_TESTS_ENGINES_FETCHED_H_

#include <string>

namespace roster::testing {

// The versions that the scripts of these names pin.
inline constexpr char kFetchedCrio[] = "crio/v1.34.0";
inline constexpr char kFetchedRunsc[] = "runsc/v0.0.0-20260527191743-a81fd9dd382e";
inline constexpr char kFetchedYouki[] = "youki/0.7.0";

// Where `fetched` is, or would be.
std::string FetchedDirectory(const std::string& fetched);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_FETCHED_H_
