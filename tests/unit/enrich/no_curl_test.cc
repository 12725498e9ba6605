// A host without libcurl, as the program's stand-ins for it (cli/late_curl.cc) report it. This
// program's definition is found before the library's.
#include <curl/curl.h>

#include "absl/time/clock.h"
#include "enrich/unix_http.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

CURLcode curl_global_init(long /*flags*/) { return CURLE_FAILED_INIT; }

namespace roster {
namespace {

TEST(NoCurl, ARequestSaysThatThereIsNone) {
  for (int i = 0; i < 2; ++i) {
    const absl::Status status =
        HttpGet({.socket = "/nonexistent"}, absl::Now() + absl::Seconds(20), "/some").status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                ::testing::HasSubstr("GET /some from /nonexistent: there is no libcurl"));
  }
}

}  // namespace
}  // namespace roster
