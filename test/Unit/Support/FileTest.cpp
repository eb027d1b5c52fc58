//===- FileTest.cpp - Mapped input and durable output ---------------------===//

#include "ssmq/Support/File.h"
#include "TempFolder.h"
#include "ssmq/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace ssmq;
using namespace ssmq::test;

static llvm::Error writeText(const std::string &path, const std::string &text) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << text;
    return llvm::Error::success();
  });
}

TEST(MappedFile, ReadsBytesAndResolvesLinks) {
  TempFolder folder;
  folder.write("a", std::string("x\0y", 3));
  std::filesystem::create_symlink("a", folder / "link");
  auto file = MappedFile::open(folder / "link");
  ASSERT_EQ(getMessage(file.takeError()), "");
  EXPECT_EQ((*file)->getBytes(), llvm::StringRef("x\0y", 3));
  EXPECT_EQ((*file)->getPath(), folder / "link");
  EXPECT_EQ((*file)->getRealPath(), std::filesystem::canonical(folder / "a").string());
}

TEST(MappedFile, HugePagesHoldTheSameBytes) {
  TempFolder folder;
  std::string bytes((size_t(4) << 20) + 12345, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 37 >> 6);
  folder.write("a", bytes);
  ASSERT_EQ(::setenv("SSMQ_HUGE_PAGES", "1", 1), 0);
  auto file = MappedFile::open(folder / "a");
  ::unsetenv("SSMQ_HUGE_PAGES");
  ASSERT_EQ(getMessage(file.takeError()), "");
  EXPECT_EQ((*file)->getBytes(), llvm::StringRef(bytes));
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*file)->getBytes().data()) % (size_t(2) << 20), 0u);
  // What is written to the file later does not reach a copy.
  folder.write("a", std::string(bytes.size(), 'x'));
  EXPECT_EQ((*file)->getBytes(), llvm::StringRef(bytes));
}

TEST(MappedFile, EmptyFilesHaveNoBytes) {
  TempFolder folder;
  auto file = MappedFile::open(folder.write("a", ""));
  ASSERT_EQ(getMessage(file.takeError()), "");
  EXPECT_TRUE((*file)->getBytes().empty());
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("loop", folder / "loop");
  expectMessage(getMessage(MappedFile::open(folder / "pipe")), "a pipe or a device");
  expectMessage(getMessage(MappedFile::open("/dev/null")), "a pipe or a device");
  expectMessage(getMessage(MappedFile::open(folder.str())), "it is a folder");
  expectMessage(getMessage(MappedFile::open(folder / "none")), "No such file");
  expectMessage(getMessage(MappedFile::open(folder / "loop")), "Too many levels");
  expectMessage(getMessage(MappedFile::open("")), "No such file");
  expectMessage(getMessage(MappedFile::open(std::string("a\0b", 3))), "a path holds no NUL");
}

TEST(WriteFileAtomically, ReplacesTheFileAndLeavesNothingElse) {
  TempFolder folder;
  // A '%' in the name must not be taken for a random digit.
  std::string path = folder / "50% a%%b";
  ASSERT_EQ(getMessage(writeText(path, "one")), "");
  ASSERT_EQ(getMessage(writeText(path, "two")), "");
  EXPECT_EQ(readAll(path), "two");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheWriterFails) {
  TempFolder folder;
  folder.write("a", "old");
  llvm::Error error = writeFileAtomically(folder / "a", [](llvm::raw_ostream &stream) {
    stream << "new";
    return makeError("no");
  });
  EXPECT_EQ(getMessage(std::move(error)), "no");
  EXPECT_EQ(readAll(folder / "a"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheDiskIsFull) {
  TempFolder folder;
  folder.write("a", "old");
  // The limit makes write(2) fail as a full disk would.
  auto oldHandler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = {100000, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message = getMessage(writeText(folder / "a", std::string(1000000, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, oldHandler);
  expectMessage(message, "File too large");
  EXPECT_EQ(readAll(folder / "a"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(WriteFileAtomically, RefusesFoldersAndMissingOnes) {
  TempFolder folder;
  expectMessage(getMessage(writeText(folder.str(), "x")), "it is a folder");
  expectMessage(getMessage(writeText(folder / "none/a", "x")), "No such file");
  EXPECT_EQ(folder.count(), 0u);
}
