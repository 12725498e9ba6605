#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "nlohmann/json.hpp"

namespace roster {
namespace {

using ::testing::HasSubstr;

std::string Line(LogFormat format, std::string_view message,
                 std::initializer_list<LogField> fields) {
  return FormatLogLine(format, LogLevel::kInfo, "2024-01-02T03:04:05.000+00:00", message, fields);
}

TEST(Log, TextLineHasTimeLevelMessageAndFields) {
  EXPECT_EQ(
      Line(LogFormat::kText, "container created", {{"id", "4f3a"}, {"pid", 4711}}),
      "time=2024-01-02T03:04:05.000+00:00 level=info msg=\"container created\" id=4f3a pid=4711");
}

TEST(Log, JournalLineBeginsWithThePriorityAndHasNoTime) {
  EXPECT_EQ(Line(LogFormat::kJournal, "serving", {{"socket", "/run/x"}}),
            "<6>msg=serving socket=/run/x");
  EXPECT_EQ(FormatLogLine(LogFormat::kJournal, LogLevel::kError, "", "x", {}), "<3>msg=x");
}

TEST(Log, HostileValueCanNeitherForgeALineNorReachATerminal) {
  const std::string line =
      Line(LogFormat::kText, "m", {{"name", "a\nlevel=error msg=fake\x1b[2J\x9b\xe2\x80\xae"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_THAT(line, HasSubstr("name=\"a\\nlevel=error msg=fake\\u001b[2J"));
  EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);  // right-to-left override
}

TEST(Log, EmptyAndAmbiguousValuesAreQuoted) {
  EXPECT_THAT(
      Line(LogFormat::kText, "m", {{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "say \"hi\""}}),
      HasSubstr("a=\"\" b=\"x y\" c=\"k=v\" d=\"say \\\"hi\\\"\""));
}

TEST(Log, JsonLineIsOneJsonObjectWhateverTheBytes) {
  const std::string line = Line(LogFormat::kJson, "m\xff\n\"", {{"n", 7}, {"s", "\\ \x01 é"}});
  const auto json = nlohmann::json::parse(line, nullptr, false);
  ASSERT_TRUE(json.is_object()) << line;
  EXPECT_EQ(json["n"], 7);
  EXPECT_EQ(json["s"], "\\ \x01 é");
  EXPECT_EQ(json["level"], "info");
}

TEST(Log, RepeatedFailureIsLoggedTheFirstTenthAndHundredthTime) {
  SetLogging(LogLevel::kInfo, LogFormat::kText);
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const int saved = dup(STDERR_FILENO);
  dup2(pipe_fds[1], STDERR_FILENO);
  for (int i = 0; i < 150; ++i) LogSparsely("test-key", LogLevel::kWarning, "oops");
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(pipe_fds[1]);
  std::string text(65536, '\0');
  text.resize(
      static_cast<size_t>(std::max<ssize_t>(0, read(pipe_fds[0], text.data(), text.size()))));
  close(pipe_fds[0]);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_THAT(text, HasSubstr("oops (10 times so far)"));
  EXPECT_THAT(text, HasSubstr("oops (100 times so far)"));
}

TEST(Log, UnknownLevelAndFormatAreNamed) {
  EXPECT_TRUE(ParseLogLevel("warning").ok());
  EXPECT_THAT(std::string(ParseLogLevel("loud").status().message()), HasSubstr("\"loud\""));
  EXPECT_THAT(std::string(ParseLogFormat("xml").status().message()), HasSubstr("\"xml\""));
}

}  // namespace
}  // namespace roster
