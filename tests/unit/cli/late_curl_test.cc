// The program's stand-ins for libcurl's functions, linked into this test as into the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "enrich/unix_http.h"
#include "unit/enrich/fake_http_engine.h"
#include "unit/enrich/temporary_directory.h"

namespace roster {
namespace {

bool LibcurlIsLoaded() {
  std::ifstream in("/proc/self/maps");
  for (std::string line; std::getline(in, line);) {
    if (line.find("libcurl") != std::string::npos) return true;
  }
  return false;
}

TEST(LateCurl, LibcurlIsLoadedByTheFirstRequestAndDoesWhatItDoesLinked) {
  const TemporaryDirectory directory;
  const FakeHttpEngine engine(directory.path() + "/engine.sock", [](const std::string& path) {
    return FakeHttpEngine::Reply(absl::StrCat("you asked for ", path),
                                 path == "/none" ? "404 Not Found" : "200 OK");
  });
  EXPECT_FALSE(LibcurlIsLoaded());
  EngineClientOptions options;
  options.socket = engine.socket();
  options.timeout = absl::Seconds(20);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  const absl::StatusOr<std::string> body = HttpGet(options, deadline, "/some?all=1");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(*body, "you asked for /some?all=1");
  EXPECT_TRUE(LibcurlIsLoaded());
  // An integer that curl stores, and a message that it makes.
  EXPECT_TRUE(absl::IsNotFound(HttpGet(options, deadline, "/none").status()));
  const absl::Status refused =
      HttpGet({.socket = directory.path() + "/nobody.sock"}, deadline, "/some").status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
}

}  // namespace
}  // namespace roster
