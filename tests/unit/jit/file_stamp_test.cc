#include "jit/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace kiln {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& content) { std::ofstream(path) << content; }

// The stamp of a file that is old enough for it.
FileStamp settledStamp(const fs::path& path) {
  auto stamp = stampFile(path);
  while (isYoung(stamp)) stamp = stampFile(path);
  return stamp;
}

bool fileHolds(const FileStamp& stamp) { return holds(Footprint{{stamp}, {}}); }
bool folderHolds(const FolderStamp& stamp) { return holds(Footprint{{}, {stamp}}); }

// Sets mtime back to what `stamp` says.
void restoreTime(const FileStamp& stamp) {
  timespec time{stamp.modifiedNanoseconds / 1'000'000'000, stamp.modifiedNanoseconds % 1'000'000'000};
  timespec times[] = {time, time};
  REQUIRE(utimensat(AT_FDCWD, stamp.path.c_str(), times, 0) == 0);
}

struct Fixture {
  test::TemporaryDirectory directory;
  fs::path file = directory.path() / "libx.so";
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A stamp holds as long as nobody touches the file, whoever reads it") {
  write(file, "content");
  auto stamp = settledStamp(file);
  std::ifstream(file).get();
  CHECK(fileHolds(stamp));
}

TEST_CASE_METHOD(Fixture,
                 "Overwriting a file with as many bytes and setting its time back breaks its stamp") {
  write(file, "content");
  auto stamp = settledStamp(file);
  write(file, "CONTENT");
  restoreTime(stamp);
  CHECK_FALSE(fileHolds(stamp));
}

TEST_CASE_METHOD(Fixture, "Putting a file away and back again breaks its stamp") {
  write(file, "content");
  auto stamp = settledStamp(file);
  fs::rename(file, directory.path() / "away");
  CHECK_FALSE(fileHolds(stamp));
  fs::rename(directory.path() / "away", file);
  CHECK_FALSE(fileHolds(stamp));
}

TEST_CASE_METHOD(Fixture, "An absence is stamped too, and breaks when a file appears") {
  auto stamp = stampFile(file);
  CHECK(fileHolds(stamp));
  write(file, "content");
  CHECK_FALSE(fileHolds(stamp));
}

TEST_CASE_METHOD(Fixture, "A link is stamped as what it leads to") {
  write(directory.path() / "one", "content");
  write(directory.path() / "two", "content");
  fs::create_symlink("one", file);
  auto stamp = settledStamp(file);
  CHECK(fileHolds(stamp));
  fs::remove(file);
  fs::create_symlink("two", file);
  CHECK_FALSE(fileHolds(stamp));
}

TEST_CASE_METHOD(Fixture,
                 "A file that has just changed is young; one that does not come to rest never holds") {
  write(file, "content");
  CHECK(isYoung(stampFile(file)));
  CHECK_FALSE(isYoung(settledStamp(file)));
  CHECK_FALSE(fileHolds(stampUnsettled(file)));
}

TEST_CASE_METHOD(Fixture,
                 "A folder's stamp breaks with what comes, goes or leads elsewhere under its prefix") {
  write(file, "content");
  write(directory.path() / "liby.so", "content");
  fs::create_symlink("libx.so", directory.path() / "lib.so");
  auto old = GENERATE(false, true);  // whether the folder is old enough to be stamped itself
  if (old) settledStamp(directory.path());
  auto stamp = stampFolder(directory.path(), "lib");
  CHECK(stamp.names == std::vector<std::string>{"lib.so -> libx.so", "libx.so", "liby.so"});
  CHECK(folderHolds(stamp));

  SECTION("comes") { write(directory.path() / "libz.so", ""); }
  SECTION("goes") { fs::remove(directory.path() / "liby.so"); }
  SECTION("leads elsewhere") {
    fs::remove(directory.path() / "lib.so");
    fs::create_symlink("liby.so", directory.path() / "lib.so");
  }
  CHECK_FALSE(folderHolds(stamp));
  CHECK_FALSE(stampFolder(directory.path(), "lib") == stamp);
}

TEST_CASE_METHOD(Fixture, "Other files of a folder make no difference to its stamp") {
  write(file, "content");
  auto stamp = stampFolder(directory.path(), "lib");
  write(directory.path() / "notes.txt", "");
  CHECK(folderHolds(stamp));
  CHECK(stampFolder(directory.path(), "lib") == stamp);
}

}  // namespace kiln
