#include "bundle/blob_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "bundle/file.h"
#include "bundle/lock_file.h"
#include "jit/sha256.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/bundle/layouts.h"

using namespace kiln;
using namespace kiln::bundle;
using kiln::test::says;
using kiln::test::TemporaryDirectory;

namespace {

struct Fixture {
  TemporaryDirectory directory;
  std::filesystem::path place = directory.path() / "app.lock.files";
  BlobFolder blobs{place};
  Sha256 digest = sha256("content");
  std::filesystem::path file = place / digest.hex();

  [[nodiscard]] std::string problem() const {
    const auto content = blobs.read(digest);
    return content ? "" : content.error().message;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A content that was truncated or changed is written anew") {
  for (const std::string damaged : {"", "cont", "CONTENT", "content and more"}) {
    REQUIRE(blobs.add(digest, "content"));
    test::writeFile(file, damaged);
    CHECK_THAT(problem(), says("does not have the content"));
    REQUIRE(blobs.add(digest, "content"));
    CHECK(blobs.read(digest) == "content");
  }
}

TEST_CASE_METHOD(Fixture, "A content that is there is not written again") {
  REQUIRE(blobs.add(digest, "content"));
  const auto written = std::filesystem::last_write_time(file) - std::chrono::hours(1);
  std::filesystem::last_write_time(file, written);
  REQUIRE(blobs.add(digest, "content"));
  CHECK(std::filesystem::last_write_time(file) == written);
}

TEST_CASE_METHOD(Fixture, "What is no regular file is told, and neither waited for nor read without end") {
  std::filesystem::create_directories(file);
  CHECK_THAT(problem(), says(file) && says("no regular file") && says("record once more"));
  std::filesystem::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK_THAT(problem(), says("no regular file"));
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/dev/zero", file);
  CHECK_THAT(problem(), says("is a link"));
  std::filesystem::remove(file);
  std::ofstream{file};
  std::filesystem::resize_file(file, kMaxContentSize + 1);
  CHECK_THAT(problem(), says("larger than 1024 MiB"));
  std::filesystem::remove(file);
  CHECK_THAT(problem(), says("cannot open") && says("No such file"));
}

TEST_CASE_METHOD(Fixture, "A lock that is no regular file is told") {
  for (const auto* path : {"/dev/zero", "/"}) {
    const auto lock = readLock(path);
    REQUIRE_FALSE(lock);
    CHECK_THAT(lock.error().message, says(path) && says("no regular file"));
  }
  const auto lock = readLock("/nowhere/app.lock");
  REQUIRE_FALSE(lock);
  CHECK_THAT(lock.error().message, says("cannot open '/nowhere/app.lock'") && says("kiln record -o"));
}

TEST_CASE_METHOD(Fixture, "What was left unfinished is removed with what is not needed, and nothing else") {
  const auto other = sha256("other");
  REQUIRE(blobs.add(digest, "content"));
  REQUIRE(blobs.add(other, "other"));
  test::writeFile(file.string() + ".Xy12zZ", "cont");
  test::writeFile(place / "thesis.txt", "years of work");
  blobs.keepOnly({digest});
  std::set<std::string> left;
  for (const auto& one : std::filesystem::directory_iterator(place)) left.insert(one.path().filename());
  CHECK(left == std::set<std::string>{digest.hex(), "thesis.txt"});
}

TEST_CASE_METHOD(Fixture,
                 "Whether a file can be written is known before, and nothing is left of the question") {
  const auto lock = directory.path() / "app.lock";
  CHECK(checkWritable(lock));
  CHECK(blobs.checkWritable());
  CHECK(std::filesystem::is_empty(directory.path()));
  test::writeFile(lock, "a lock");
  CHECK(checkWritable(lock));
  CHECK(readWhole(lock, 6, Links::followed) == "a lock");
  CHECK_FALSE(checkWritable(directory.path()));
  CHECK_FALSE(checkWritable("/dev/null"));
  CHECK_FALSE(checkWritable(directory.path() / "nowhere/app.lock"));
  test::writeFile(place, "no folder");
  CHECK_FALSE(blobs.checkWritable());
}
