// Runtime marks and pid file marks on real files in a real group.
#include <sys/stat.h>

#include <memory>

#include "held_exec.h"
#include "hold_fixture.h"
#include "hook/pid_file_marks.h"
#include "hook/runtime_marks.h"

namespace roster {
namespace {

uint64_t InodeOf(const std::string& path) {
  struct stat st = {};
  EXPECT_EQ(stat(path.c_str(), &st), 0) << path;
  return st.st_ino;
}

struct Marked {
  explicit Marked(std::vector<std::string> paths) : group(*FanotifyGroup::Create()) {
    auto created = RuntimeMarks::Create(&group, std::move(paths), [this](const auto& marked) {
      ++changes;
      last = marked;
    });
    EXPECT_TRUE(created.ok()) << created.status();
    marks = *std::move(created);
  }
  // Dispatches changes until `done`.
  bool DispatchUntil(const std::function<bool()>& done) {
    const absl::Time end = absl::Now() + kPatience;
    while (!done()) {
      if (!WaitReadable(marks->fd(), end - absl::Now())) return false;
      EXPECT_TRUE(marks->Dispatch().ok());
    }
    return true;
  }
  bool IsMarked(const std::string& path) { return CountMarksOf(group.fd(), InodeOf(path)) == 1; }

  TempDir directory;
  FanotifyGroup group;
  int changes = 0;
  std::vector<MarkedExecutable> last;
  std::unique_ptr<RuntimeMarks> marks;
};

TEST(RuntimeMarks, OneFileUnderSeveralPathsIsMarkedOnceUnderTheFirst) {
  TempDir directory;
  const std::string real = MakeExecutable(directory / "runc-1.1");
  std::filesystem::create_symlink("runc-1.1", directory / "runc");
  std::filesystem::create_hard_link(real, directory / "other");
  Marked marked({directory / "runc", directory / "other", directory / "absent"});
  ASSERT_EQ(marked.marks->marked().size(), 1u);
  EXPECT_EQ(marked.marks->marked()[0].basename, "runc");
  EXPECT_EQ(marked.marks->marked()[0].file.ino, InodeOf(real));
  EXPECT_EQ(MarkLines(marked.group.fd()).size(), 1u);
  EXPECT_EQ(marked.changes, 1);
}

TEST(RuntimeMarks, ReplacedExecutableIsMarkedAgainAndHeld) {
  TempDir directory;
  const std::string path = MakeExecutable(directory / "runc");
  Marked marked({path});
  const uint64_t old = InodeOf(path);
  MakeExecutable(directory / "runc.dpkg-new");
  std::filesystem::rename(directory / "runc.dpkg-new", path);
  ASSERT_NE(InodeOf(path), old);
  ASSERT_TRUE(marked.DispatchUntil([&] { return marked.changes == 2; }));
  EXPECT_EQ(marked.last[0].file.ino, InodeOf(path));
  EXPECT_TRUE(marked.IsMarked(path));
  auto keeper = Keeper::Start(marked.group.fd(), {.deadline = kNever});
  ASSERT_TRUE(keeper.ok());
  HeldExec exec(path);
  ASSERT_TRUE(WaitReadable((*keeper)->fd(), kPatience));
  EXPECT_FALSE(exec.Decided(absl::Milliseconds(20)));
  keeper->reset();
  EXPECT_EQ(exec.Outcome(), 0);
}

// Deleted and made again, with the same inode number as likely as not: the number says nothing.
TEST(RuntimeMarks, ExecutableThatComesBackIsMarked) {
  TempDir directory;
  const std::string path = MakeExecutable(directory / "runc");
  Marked marked({path});
  std::filesystem::remove(path);
  ASSERT_TRUE(marked.DispatchUntil([&] { return marked.marks->marked().empty(); }));
  MakeExecutable(path);
  ASSERT_TRUE(marked.DispatchUntil([&] { return !marked.marks->marked().empty(); }));
  EXPECT_TRUE(marked.IsMarked(path));
}

TEST(RuntimeMarks, ExecutableInADirectoryThatDoesNotExistYetIsMarkedWhenItComes) {
  TempDir directory;
  const std::string path = directory / "k0s/bin/runc";
  Marked marked({path});
  EXPECT_TRUE(marked.marks->marked().empty());
  std::filesystem::create_directory(directory / "k0s");
  ASSERT_TRUE(WaitReadable(marked.marks->fd(), kPatience));
  ASSERT_TRUE(marked.marks->Dispatch().ok());
  std::filesystem::create_directory(directory / "k0s/bin");
  MakeExecutable(path);
  ASSERT_TRUE(marked.DispatchUntil([&] { return marked.marks->marked().size() == 1; }));
  EXPECT_TRUE(marked.IsMarked(path));
}

TEST(RuntimeMarks, SwitchedDirectoryLinkMarksTheNewFile) {
  TempDir directory;
  for (const char* version : {"v1", "v2"}) {
    std::filesystem::create_directory(directory / version);
    MakeExecutable(directory / (std::string(version) + "/runc"));
  }
  std::filesystem::create_symlink("v1", directory / "current");
  Marked marked({directory / "current/runc"});
  EXPECT_TRUE(marked.IsMarked(directory / "v1/runc"));
  std::filesystem::create_symlink("v2", directory / "next");
  std::filesystem::rename(directory / "next", directory / "current");
  ASSERT_TRUE(marked.DispatchUntil([&] { return marked.changes == 2; }));
  EXPECT_TRUE(marked.IsMarked(directory / "v2/runc"));
}

TEST(RuntimeMarks, WhatIsNoExecutableIsPassedOver) {
  TempDir directory;
  ASSERT_EQ(mkfifo((directory / "runc").c_str(), 0700), 0);
  std::filesystem::create_directory(directory / "crun");
  std::filesystem::create_symlink("youki", directory / "youki");
  const std::string good = MakeExecutable(directory / "runsc");
  Marked marked({directory / "runc", directory / "crun", directory / "youki", good});
  ASSERT_EQ(marked.marks->marked().size(), 1u);
  EXPECT_EQ(marked.marks->marked()[0].path, good);
}

TEST(RuntimeMarks, LearnsOnlyTheFileThatWasSeenAndOnlyRoots) {
  TempDir directory;
  Marked marked({});
  const std::string path = MakeExecutable(directory / "myruntime");
  struct stat st;
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  const FileId file{st.st_dev, st.st_ino};
  EXPECT_TRUE(absl::IsFailedPrecondition(marked.marks->Learn({file.dev, file.ino + 1}, path)));
  EXPECT_TRUE(absl::IsInvalidArgument(marked.marks->Learn(file, "memfd:runc_cloned")));
  ASSERT_EQ(chown(path.c_str(), 1000, 1000), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(marked.marks->Learn(file, path)));
  ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  EXPECT_TRUE(MarkLines(marked.group.fd()).empty());
  EXPECT_TRUE(marked.marks->Learn(file, path).ok());
  EXPECT_TRUE(marked.marks->Learn(file, path).ok());
  ASSERT_EQ(marked.last.size(), 1u);
  EXPECT_EQ(marked.last[0].basename, "myruntime");
  EXPECT_EQ(marked.changes, 1);
  EXPECT_TRUE(marked.IsMarked(path));
}

TEST(RuntimeMarks, LearnsNoMoreThanItsLimit) {
  TempDir directory;
  Marked marked({});
  absl::Status status;
  size_t learned = 0;
  for (; learned <= RuntimeMarks::kMaxLearned && status.ok(); ++learned) {
    const std::string path = MakeExecutable(directory / ("r" + std::to_string(learned)));
    struct stat st;
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    status = marked.marks->Learn({st.st_dev, st.st_ino}, path);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(marked.marks->marked().size(), RuntimeMarks::kMaxLearned);
}

TEST(PidFileMarks, ADirectorySharedByFiftyIsMarkedOnceAndUnmarkedWithTheLast) {
  TempDir directory;
  auto group = *FanotifyGroup::Create();
  PidFileMarks marks(&group);
  const uint64_t ino = InodeOf(directory.path());
  std::vector<PidFileMarks::Token> tokens;
  for (uint64_t i = 0; i < 50; ++i) {
    auto token = marks.Add(AT_FDCWD, directory.path(), "pid" + std::to_string(i), i);
    ASSERT_TRUE(token.ok()) << token.status();
    tokens.push_back(*std::move(token));
    EXPECT_EQ(CountMarksOf(group.fd(), ino), 1u);
  }
  while (tokens.size() > 1) {
    tokens.pop_back();
    ASSERT_EQ(CountMarksOf(group.fd(), ino), 1u) << "its neighbours lost their mark";
  }
  tokens[0].Reset();
  tokens[0].Reset();
  EXPECT_EQ(CountMarksOf(group.fd(), ino), 0u);
  EXPECT_EQ(marks.directories(), 0u);
}

// A child that reads the file and ends, with 0 if it could.
pid_t ReadInAChild(const std::string& path) {
  const pid_t reader = fork();
  if (reader == 0) {
    char buffer[16];
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    _exit(read(fd, buffer, sizeof(buffer)) > 0 ? 0 : 1);
  }
  return reader;
}

TEST(PidFileMarks, ConfigBesideThePidFileIsReadWithoutAHoldUnlessItIsChanged) {
  Hold hold({.deadline = kPatience});
  PidFileMarks marks(hold.group.get());
  const std::string config = hold.directory / "config.json";
  WriteFile(config, "{}");
  const size_t before = MarkLines(hold.group->fd()).size();
  auto token = marks.Add(AT_FDCWD, hold.directory.path(), "init.pid", 7);
  ASSERT_TRUE(token.ok()) << token.status();
  int status = 0;
  const pid_t reader = ReadInAChild(config);
  ASSERT_EQ(waitpid(reader, &status, 0), reader);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(WaitReadable(hold.keeper->fd(), absl::ZeroDuration())) << "it was held";
  WriteFile(config, "{\"changed\": 1}");
  const pid_t later = ReadInAChild(config);
  const auto events = hold.Collect(1);
  EXPECT_EQ(events[0].tid, later);
  EXPECT_TRUE(hold.keeper->Release(events[0].number));
  ASSERT_EQ(waitpid(later, &status, 0), later);
  token->Reset();
  EXPECT_EQ(MarkLines(hold.group->fd()).size(), before);
}

TEST(PidFileMarks, ReadOfThePidFileIsHeldAndMatchedAndOthersAreNot) {
  Hold hold({.deadline = kNever});
  PidFileMarks marks(hold.group.get());
  std::filesystem::create_directory(hold.directory / "a");
  std::filesystem::create_directory(hold.directory / "b");
  const auto mine = marks.Add(AT_FDCWD, hold.directory / "a", "init.pid", 7);
  const auto same_name_elsewhere = marks.Add(AT_FDCWD, hold.directory / "b", "init.pid", 8);
  ASSERT_TRUE(mine.ok() && same_name_elsewhere.ok());
  WriteFile(hold.directory / "a/log.json", "{}");
  WriteFile(hold.directory / "a/.init.pid", "4711");
  std::filesystem::rename(hold.directory / "a/.init.pid", hold.directory / "a/init.pid");
  for (const auto& [name, expected] :
       {std::pair<std::string, std::vector<uint64_t>>{"a/log.json", {}}, {"a/init.pid", {7}}}) {
    const std::string path = hold.directory / name;
    const pid_t reader = ReadInAChild(path);
    const auto events = hold.Collect(1);
    EXPECT_EQ(events[0].mask, FAN_ACCESS_PERM);
    EXPECT_EQ(events[0].tid, reader);
    auto borrowed = hold.keeper->Borrow(events[0].number);
    ASSERT_TRUE(borrowed.ok());
    EXPECT_EQ(marks.Match(borrowed->get()), expected) << name;
    if (!expected.empty()) {
      char text[16] = {};
      EXPECT_EQ(pread(borrowed->get(), text, sizeof(text), 0), 4);
      EXPECT_STREQ(text, "4711");
    }
    EXPECT_TRUE(hold.keeper->Release(events[0].number));
    int status = 0;
    ASSERT_EQ(waitpid(reader, &status, 0), reader);
    EXPECT_EQ(status, 0);
  }
}

TEST(PidFileMarks, ARenamedAwayOrForeignFileMatchesNothing) {
  TempDir directory;
  auto group = *FanotifyGroup::Create();
  PidFileMarks marks(&group);
  std::filesystem::create_directory(directory / "other");
  const auto token = marks.Add(AT_FDCWD, directory.path(), "pid", 1);
  ASSERT_TRUE(token.ok());
  const auto again = marks.Add(AT_FDCWD, directory.path(), "pid", 2);
  ASSERT_TRUE(again.ok());
  WriteFile(directory / "pid", "1");
  WriteFile(directory / "other/pid", "2");
  // No keeper reads this group: open the files from before the marks matter.
  const Fd right(open((directory / "pid").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd foreign(open((directory / "other/pid").c_str(), O_RDONLY | O_CLOEXEC));
  auto both = marks.Match(right.get());
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (std::vector<uint64_t>{1, 2}));
  EXPECT_TRUE(marks.Match(foreign.get()).empty());
  std::filesystem::rename(directory / "other/pid", directory / "pid");
  EXPECT_TRUE(marks.Match(right.get()).empty()) << "replaced";
  EXPECT_EQ(marks.Match(foreign.get()).size(), 2u);
}

TEST(PidFileMarks, BadNamesAreRefusedAndADeletedDirectoryIsHarmless) {
  auto group = *FanotifyGroup::Create();
  PidFileMarks::Token outlives;
  {
    TempDir directory;
    PidFileMarks marks(&group);
    for (const char* name : {"", ".", "..", "a/b"}) {
      EXPECT_TRUE(absl::IsInvalidArgument(marks.Add(AT_FDCWD, directory.path(), name, 1).status()))
          << name;
    }
    EXPECT_TRUE(absl::IsInvalidArgument(
        marks.Add(AT_FDCWD, directory.path(), std::string(256, 'x'), 1).status()));
    EXPECT_TRUE(absl::IsNotFound(marks.Add(AT_FDCWD, directory / "absent", "pid", 1).status()));
    ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0700), 0);
    EXPECT_FALSE(marks.Add(AT_FDCWD, directory / "fifo", "pid", 1).ok());
    std::filesystem::create_directory(directory / "gone");
    auto token = marks.Add(AT_FDCWD, directory / "gone", "pid", 1);
    ASSERT_TRUE(token.ok());
    std::filesystem::remove(directory / "gone");
    token->Reset();
    auto kept = marks.Add(AT_FDCWD, directory.path(), "pid", 1);
    ASSERT_TRUE(kept.ok());
    outlives = *std::move(kept);
  }
  EXPECT_TRUE(MarkLines(group.fd()).empty());
}

}  // namespace
}  // namespace roster
