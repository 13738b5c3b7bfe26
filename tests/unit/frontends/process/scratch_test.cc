#include "frontends/process/scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

using namespace kiln;

namespace {

constexpr int kCreate = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
using Names = std::vector<std::string>;

void write(Scratch& scratch, const std::string& path, std::string_view content) {
  int descriptor = scratch.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  REQUIRE(descriptor >= 0);
  CHECK(::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  ::close(descriptor);
}

// The content, or what the attempt to open it failed with.
std::string read(Scratch& scratch, const std::string& path) {
  int descriptor = scratch.open(path, O_RDONLY | O_CLOEXEC, 0);
  if (descriptor < 0) return std::to_string(descriptor);
  std::string content(100, '\0');
  content.resize(static_cast<std::size_t>(::read(descriptor, content.data(), content.size())));
  ::close(descriptor);
  return content;
}

Names list(const Scratch& scratch, const std::string& path) {
  Names names;
  CHECK(scratch.list(path, names) == 0);
  return names;
}

Scratch withDirectory() {
  Scratch scratch("/tmp/own-");
  REQUIRE(scratch.makeDirectory("/tmp/own-1", 0770) == 0);
  REQUIRE(scratch.makeDirectory("/tmp/own-1/in", 0770) == 0);
  return scratch;
}

}  // namespace

TEST_CASE("Only directories of its own name may be made, and nothing else is held") {
  Scratch scratch("/tmp/own-");
  CHECK(scratch.mayMake("/tmp/own-1"));
  CHECK(scratch.mayMake("/tmp/x/../own-1/") == false);
  CHECK_FALSE(scratch.mayMake("/tmp/own-"));
  CHECK_FALSE(scratch.mayMake("/tmp/own-1/in"));
  CHECK_FALSE(scratch.mayMake("/tmp/own-1/../other"));
  CHECK_FALSE(scratch.mayMake("/tmp/other"));
  CHECK_FALSE(scratch.holds("/tmp/own-1"));
  REQUIRE(scratch.makeDirectory("/tmp/own-1", 0770) == 0);
  CHECK(scratch.holds("/tmp/own-1"));
  CHECK(scratch.holds("/tmp/own-1/in/x"));
  CHECK_FALSE(scratch.holds("/tmp/own-2/x"));
  CHECK_FALSE(scratch.holds("/tmp/own-1/../../etc/passwd"));
  CHECK(scratch.makeDirectory("/tmp/own-1", 0770) == -EEXIST);
  CHECK_FALSE(Scratch("").mayMake("/tmp/own-1"));
}

TEST_CASE("Files are written, read back, listed and removed as on a disk") {
  auto scratch = withDirectory();
  write(scratch, "/tmp/own-1/in/a", "one");
  write(scratch, "/tmp/own-1/in/../b", "two");
  CHECK(read(scratch, "/tmp/own-1/in/a") == "one");
  CHECK(read(scratch, "/tmp/own-1/b") == "two");
  CHECK(list(scratch, "/tmp/own-1") == Names{"b", "in"});
  CHECK(list(scratch, "/tmp/own-1/in") == Names{"a"});
  CHECK(scratch.open("/tmp/own-1/in/a", kCreate, 0644) == -EEXIST);
  CHECK(scratch.open("/tmp/own-1/in/none", O_RDONLY, 0) == -ENOENT);
  CHECK(scratch.open("/tmp/own-1/none/a", kCreate, 0644) == -ENOENT);
  CHECK(scratch.open("/tmp/own-1/b/a", kCreate, 0644) == -ENOTDIR);
  CHECK(scratch.open("/tmp/own-1/in", O_WRONLY, 0) == -EISDIR);
  CHECK(scratch.removeDirectory("/tmp/own-1/in") == -ENOTEMPTY);
  CHECK(scratch.unlink("/tmp/own-1/in") == -EISDIR);
  CHECK(scratch.removeDirectory("/tmp/own-1/b") == -ENOTDIR);
  CHECK(scratch.unlink("/tmp/own-1/in/a") == 0);
  CHECK(scratch.unlink("/tmp/own-1/in/a") == -ENOENT);
  CHECK(scratch.removeDirectory("/tmp/own-1/in") == 0);
  CHECK(list(scratch, "/tmp/own-1") == Names{"b"});
}

TEST_CASE("Each descriptor has an offset of its own, and knows its file by every name") {
  auto scratch = withDirectory();
  write(scratch, "/tmp/own-1/a", "one");
  int first = scratch.open("/tmp/own-1/a", O_RDONLY | O_CLOEXEC, 0);
  char byte = 0;
  CHECK(::read(first, &byte, 1) == 1);
  CHECK(read(scratch, "/tmp/own-1/a") == "one");
  CHECK(scratch.pathOf(first) == "/tmp/own-1/a");
  CHECK(scratch.pathOf(0).empty());
  struct stat byName, byDescriptor;
  CHECK(scratch.status("/tmp/own-1/a", byName) == 0);
  CHECK(scratch.status(first, byDescriptor) == 0);
  CHECK(byName.st_ino == byDescriptor.st_ino);
  CHECK(byName.st_dev == byDescriptor.st_dev);
  CHECK(byName.st_size == 3);
  CHECK(byName.st_mtim.tv_sec == 0);
  CHECK(scratch.status("/tmp/own-1", byDescriptor) == 0);
  CHECK(S_ISDIR(byDescriptor.st_mode));
  CHECK(byName.st_ino != byDescriptor.st_ino);
  ::close(first);
}

TEST_CASE("A file that is renamed or linked is the same file") {
  auto scratch = withDirectory();
  write(scratch, "/tmp/own-1/a", "one");
  write(scratch, "/tmp/own-1/b", "two");
  CHECK(scratch.rename("/tmp/own-1/a", "/tmp/own-1/b") == 0);
  CHECK(read(scratch, "/tmp/own-1/b") == "one");
  CHECK(read(scratch, "/tmp/own-1/a") == std::to_string(-ENOENT));
  CHECK(scratch.link("/tmp/own-1/b", "/tmp/own-1/in/c") == 0);
  CHECK(scratch.link("/tmp/own-1/b", "/tmp/own-1/in/c") == -EEXIST);
  struct stat first, second;
  CHECK(scratch.status("/tmp/own-1/b", first) == 0);
  CHECK(scratch.status("/tmp/own-1/in/c", second) == 0);
  CHECK(first.st_ino == second.st_ino);
  CHECK(scratch.rename("/tmp/own-1/none", "/tmp/own-1/d") == -ENOENT);
  CHECK(scratch.rename("/tmp/own-1/b", "/tmp/own-1/in") == -EISDIR);
  CHECK(scratch.rename("/tmp/own-1/in", "/tmp/own-1/out") == -EXDEV);
  CHECK(scratch.setMode("/tmp/own-1/b", 0755) == 0);
  CHECK(scratch.status("/tmp/own-1/in/c", second) == 0);
  CHECK((second.st_mode & 0777) == 0755);
}

TEST_CASE("What passes the bounds is refused, and told") {
  auto scratch = withDirectory();
  write(scratch, "/tmp/own-1/large", "x");
  int descriptor = scratch.open("/tmp/own-1/large", O_WRONLY | O_CLOEXEC, 0);
  REQUIRE(::ftruncate(descriptor, static_cast<off_t>(Scratch::kMostBytes)) == 0);
  CHECK_FALSE(scratch.overflowed());
  CHECK(scratch.open("/tmp/own-1/more", kCreate, 0644) == -ENOSPC);
  CHECK(scratch.overflowed());
  CHECK(scratch.unlink("/tmp/own-1/large") == 0);
  ::close(descriptor);
  write(scratch, "/tmp/own-1/more", "x");

  auto many = withDirectory();
  int result = 0;
  for (std::size_t i = 0; i <= Scratch::kMostFiles && result == 0; ++i) {
    result = many.makeDirectory("/tmp/own-1/in/" + std::to_string(i), 0770);
  }
  CHECK(result == -ENOSPC);
  CHECK(many.overflowed());
}
