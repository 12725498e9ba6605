// The example program of examples/, as a reader of it would run it.
#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Example : public RosterTestBase {
 protected:
  // Its next line, without the end; an error where none comes.
  absl::StatusOr<std::string> NextLine() {
    absl::Status waited =
        WaitUntil("a line of the example", {output_.get()}, In(absl::Seconds(20)), [&] {
          char bytes[4096];
          for (ssize_t got; (got = ::read(output_.get(), bytes, sizeof(bytes))) > 0;)
            text_.append(bytes, static_cast<size_t>(got));
          return text_.find('\n') != std::string::npos;
        });
    if (!waited.ok()) return absl::Status(waited.code(), absl::StrCat(waited.message(), text_));
    const size_t end = text_.find('\n');
    std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return line;
  }

  Fd output_;
  std::string text_;
};

TEST_F(Example, TellsOfContainersAsTheyComeAndGo) {
  engine_ = MakeEngine(EngineKind::kCrun, *workspace_);
  ROSTER_ASSERT_OK(engine_->Start());

  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  output_.Reset(ends[0]);
  Fd input(ends[1]);
  std::filesystem::create_directories(
      std::filesystem::path(roster_->pin_directory()).parent_path());
  CommandOptions options;
  options.environment = workspace_->environment();
  options.stdout_fd = input.get();
  auto example = Process::Spawn({ROSTER_EXAMPLE, roster_->pin_directory()}, options);
  ROSTER_ASSERT_OK(example);
  input.Reset();

  EXPECT_EQ(NextLine().value_or("none"), "0 containers run");
  ROSTER_ASSERT_OK(engine_->Run({"first", {"/bin/sleep", "600"}}));
  EXPECT_THAT(NextLine().value_or("none"),
              MatchesRegex("CREATED crun first pid=[1-9][0-9]* mntns=[1-9][0-9]* image="));
  ROSTER_ASSERT_OK(engine_->Run({"second", {"/bin/sleep", "600"}}));
  EXPECT_THAT(NextLine().value_or("none"), HasSubstr("CREATED crun second pid="));
  ROSTER_ASSERT_OK(engine_->Remove("first"));
  EXPECT_THAT(NextLine().value_or("none"), HasSubstr("DELETED crun first pid="));
  ROSTER_ASSERT_OK(example->Signal(SIGTERM));
  EXPECT_EQ(example->Wait(In(absl::Seconds(10))).value_or(-1), 0);
}

}  // namespace
}  // namespace roster::testing
