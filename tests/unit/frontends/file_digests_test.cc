#include "frontends/file_digests.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "jit/sha256.h"
#include "tests/support/temporary_directory.h"

namespace kiln {
namespace {

using Catch::Contains;

void write(const std::filesystem::path& path, const std::string& content) { std::ofstream(path) << content; }

struct Fixture {
  test::TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "library";
  FileDigests digests;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a file is read once as long as nobody touches it") {
  write(file, "content");
  auto first = digests.of(file);
  REQUIRE(first);
  CHECK(first->digest == sha256("content"));
  CHECK(first->stamp == stampFile(file));
  CHECK(digests.of(file)->digest == first->digest);
  CHECK(digests.reads() == 1);
}

TEST_CASE_METHOD(Fixture, "a file is read again when it was changed a moment after it was read") {
  write(file, "content");
  REQUIRE(digests.of(file));
  for (const std::string content : {"CONTENT", "another"}) {
    write(file, content);
    auto changed = digests.of(file);
    REQUIRE(changed);
    CHECK(changed->digest == sha256(content));
  }
  CHECK(digests.reads() == 3);
}

TEST_CASE_METHOD(Fixture, "a file that cannot be read is a problem for as long as it stays so") {
  auto missing = digests.of(file);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().problem, Contains("cannot be read"));
  CHECK(holds(Footprint{{missing.error().stamp}, {}}));
  write(file, "content");
  CHECK_FALSE(holds(Footprint{{missing.error().stamp}, {}}));
  CHECK(digests.of(file));
}

TEST_CASE_METHOD(Fixture, "a file that somebody keeps writing is a problem, and worth another try") {
  write(file, "content");
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) write(file, "content");
  });
  auto read = digests.of(file);
  REQUIRE_FALSE(read);
  CHECK_THAT(read.error().problem, Contains("is being written"));
  writer.request_stop();
  writer.join();
  CHECK_FALSE(holds(Footprint{{read.error().stamp}, {}}));
  CHECK(digests.of(file)->digest == sha256("content"));
}

}  // namespace kiln
