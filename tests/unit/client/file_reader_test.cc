#include "client/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace kiln;
using kiln::client::DigestCache;
using kiln::client::FilePolicy;
using kiln::client::FileReader;
using kiln::test::TemporaryDirectory;
using Kind = FileAnswer::Kind;
namespace fs = std::filesystem;

namespace {

struct Tree {
  TemporaryDirectory temporary;
  fs::path root = fs::canonical(temporary.path());
  fs::path home = made(root / "home");
  // A day ahead: every file is settled.
  std::shared_ptr<DigestCache> cache = std::make_shared<DigestCache>(
      100, [] { return (static_cast<std::int64_t>(::time(nullptr)) + 86'400) * 1'000'000'000; });
  FileReader reader{FilePolicy({"k.cu", home.string(), {}}, {}), cache};

  static fs::path made(fs::path directory) {
    fs::create_directories(directory);
    return directory;
  }
  std::string at(const std::string& path) const { return (home / path).string(); }
  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((home / path).parent_path());
    std::ofstream(home / path) << content;
  }
};

}  // namespace

TEST_CASE_METHOD(Tree, "a file is told with its content, one file by its links as one") {
  write("v.h", "int v;");
  write("copy.h", "int v;");
  fs::create_symlink("v.h", home / "link.h");
  fs::create_hard_link(home / "v.h", home / "hard.h");

  auto answer = reader.look(at("v.h"));
  CHECK(answer.kind == Kind::file);
  CHECK(answer.text == "int v;");
  CHECK(answer.size == 6);
  CHECK(answer.identity != 0);
  CHECK(reader.look(at("link.h")) == answer);
  CHECK(reader.look(at("hard.h")) == answer);
  CHECK(reader.look(at("copy.h")).identity != answer.identity);
}

TEST_CASE_METHOD(Tree, "an empty file and one with NUL bytes are told whole") {
  write("empty.h", "");
  write("nul.h", std::string("a\0b", 3));
  CHECK(reader.look(at("empty.h")).kind == Kind::file);
  CHECK(reader.look(at("empty.h")).text.empty());
  CHECK(reader.look(at("nul.h")).text == std::string("a\0b", 3));
}

TEST_CASE_METHOD(Tree, "an absence names the shallowest directory that is missing") {
  write("a/v.h", "");
  CHECK(reader.look(at("a/w.h")).kind == Kind::absent);
  CHECK(reader.look(at("a/w.h")).text == at("a/w.h"));
  CHECK(reader.look(at("a/b/c/w.h")).text == at("a/b"));
  CHECK(reader.look(at("a/v.h/w.h")).kind == Kind::absent);
  CHECK(reader.look(at("a/v.h/w.h")).text == at("a/v.h/w.h"));
  fs::create_symlink("nowhere", home / "dangling.h");
  CHECK(reader.look(at("dangling.h")).text == at("dangling.h"));
}

TEST_CASE_METHOD(Tree, "a FIFO, a socket and a device are told and never opened") {
  REQUIRE(::mkfifo(at("pipe.h").c_str(), 0600) == 0);
  auto answer = reader.look(at("pipe.h"));
  CHECK(answer.kind == Kind::other);
  CHECK(answer.text == "a FIFO");
  // Nobody has the reading end open, or this would succeed.
  CHECK(::open(at("pipe.h").c_str(), O_WRONLY | O_NONBLOCK) == -1);

  FileReader generous(FilePolicy({"k.cu", home.string(), {}}, {"/dev"}), cache);
  CHECK(generous.look("/dev/zero").text == "a device");
  CHECK(generous.digest({"/dev/zero", FileKind::file})->kind == FileKind::other);
}

TEST_CASE_METHOD(Tree, "a directory is a directory, and its names can be listed") {
  write("d/b.h", "");
  write("d/a.h", "");
  CHECK(reader.look(at("d")).kind == Kind::directory);
  auto answer = reader.list(at("d"));
  std::sort(answer.names.begin(), answer.names.end());
  CHECK(answer.kind == Kind::listing);
  CHECK(answer.names == std::vector<std::string>{"a.h", "b.h"});
  CHECK(reader.list(at("no/d")).kind == Kind::absent);
  CHECK(reader.list(at("d/a.h")).kind == Kind::failed);
}

TEST_CASE_METHOD(Tree, "links are read and paths resolved") {
  write("d/v.h", "");
  fs::create_symlink("d/v.h", home / "link.h");
  CHECK(reader.readLink(at("link.h")).text == "d/v.h");
  CHECK(reader.resolve(at("d/../link.h")).text == at("d/v.h"));
  auto noLink = reader.readLink(at("d/v.h"));
  CHECK(noLink.kind == Kind::failed);
  CHECK(noLink.error == EINVAL);
  CHECK(reader.resolve(at("no/v.h")).text == at("no"));
}

TEST_CASE_METHOD(Tree,
                 "what lies outside is denied with the way to allow it, or absent if nothing is there") {
  std::ofstream(root / "secret") << "key";
  auto secret = (root / "secret").string();
  auto answer = reader.look(secret);
  CHECK(answer.kind == Kind::denied);
  CHECK_THAT(answer.text, Catch::Contains(secret) && Catch::Contains("kiln_client_options_allow_directory") &&
                              Catch::Contains("kiln compile --allow"));
  CHECK(reader.readLink(secret).kind == Kind::denied);
  CHECK(reader.resolve(secret).kind == Kind::denied);
  CHECK_FALSE(reader.digest({secret, FileKind::file}));
  CHECK(reader.look((root / "nothing").string()).kind == Kind::absent);
  CHECK(reader.digest({(root / "nothing").string(), FileKind::absent})->kind == FileKind::absent);
}

TEST_CASE_METHOD(Tree, "an ancestor is told as a directory, and not what it holds") {
  CHECK(reader.look(root.string()).kind == Kind::directory);
  CHECK(reader.list(root.string()).kind == Kind::denied);
  CHECK(reader.digest({root.string(), FileKind::directory})->kind == FileKind::directory);
  CHECK_FALSE(reader.digest({root.string(), FileKind::listing}));
}

TEST_CASE_METHOD(Tree, "a path that is not absolute or holds a NUL fails") {
  CHECK(reader.look("v.h").kind == Kind::failed);
  CHECK(reader.look(at("v.h") + std::string("\0x", 2)).kind == Kind::failed);
  CHECK_FALSE(reader.digest({"v.h", FileKind::file}));
}

TEST_CASE_METHOD(Tree, "a file that may not be read fails with the reason") {
  write("secret.h", "");
  fs::permissions(home / "secret.h", fs::perms::none);
  fs::permissions(root, fs::perms::all);
  fs::permissions(home, fs::perms::all);
  // In a child, since root reads everything.
  pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65'534) != 0) ::_exit(2);
    auto answer = reader.look(at("secret.h"));
    bool right = answer.kind == Kind::failed && answer.error == EACCES &&
                 answer.text == "cannot read '" + at("secret.h") + "': Permission denied" &&
                 !reader.digest({at("secret.h"), FileKind::file});
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE_METHOD(Tree, "a file above the limit is not read") {
  write("large.h", "");
  fs::resize_file(home / "large.h", client::kLargestFile + 1);
  auto answer = reader.look(at("large.h"));
  CHECK(answer.kind == Kind::failed);
  CHECK(answer.error == EFBIG);
}

TEST_CASE_METHOD(Tree, "digests are those of what an entry holds for each kind") {
  write("d/v.h", "int v;");
  fs::create_symlink("d/v.h", home / "link.h");
  auto file = reader.digest({at("d/v.h"), FileKind::file});
  CHECK(file->kind == FileKind::file);
  CHECK(file->size == 6);
  CHECK(file->xxh3 == xxh3("int v;"));
  CHECK(file->identity == reader.look(at("link.h")).identity);
  CHECK(reader.digest({at("d"), FileKind::listing})->xxh3 == xxh3(listingText({"v.h"})));
  CHECK(reader.digest({at("link.h"), FileKind::link})->xxh3 == xxh3("d/v.h"));
  CHECK(reader.digest({at("link.h"), FileKind::resolved})->xxh3 == xxh3(at("d/v.h")));
  CHECK(reader.digest({at("d"), FileKind::directory})->kind == FileKind::directory);
}

TEST_CASE_METHOD(Tree, "what has become something else is told as what it is now") {
  write("d/v.h", "int v;");
  CHECK(reader.digest({at("d/v.h"), FileKind::absent})->kind == FileKind::file);
  CHECK(reader.digest({at("d/v.h"), FileKind::link})->kind == FileKind::file);
  CHECK(reader.digest({at("d/v.h"), FileKind::listing})->kind == FileKind::file);
  CHECK(reader.digest({at("d"), FileKind::file})->kind == FileKind::directory);
  CHECK(reader.digest({at("no/v.h"), FileKind::file})->kind == FileKind::absent);
}

TEST_CASE_METHOD(Tree, "a changed file has another digest though its size is the same") {
  write("v.h", "int a;");
  CHECK(reader.digest({at("v.h"), FileKind::file})->xxh3 == xxh3("int a;"));
  struct stat status;
  REQUIRE(::stat(at("v.h").c_str(), &status) == 0);
  CHECK(cache->find(client::stampOf(status)) == xxh3("int a;"));

  write("v.h", "int b;");
  // As after a restore that sets times back: the change time moves all the same.
  timespec times[2] = {status.st_atim, {status.st_mtim.tv_sec + 1, 0}};
  REQUIRE(::utimensat(AT_FDCWD, at("v.h").c_str(), times, 0) == 0);
  CHECK(reader.digest({at("v.h"), FileKind::file})->xxh3 == xxh3("int b;"));
}

TEST_CASE_METHOD(Tree, "a digest that is known is not computed again") {
  write("v.h", "int a;");
  struct stat status;
  REQUIRE(::stat(at("v.h").c_str(), &status) == 0);
  cache->insert(client::stampOf(status), xxh3("a mark"));
  CHECK(reader.digest({at("v.h"), FileKind::file})->xxh3 == xxh3("a mark"));
}

TEST_CASE_METHOD(Tree, "the digest of a file that was just written is not kept") {
  auto fresh = std::make_shared<DigestCache>(100, [this] {
    struct stat status;
    ::stat(at("v.h").c_str(), &status);
    return status.st_ctim.tv_sec * 1'000'000'000LL + status.st_ctim.tv_nsec + 1'000'000;
  });
  FileReader reading(FilePolicy({"k.cu", home.string(), {}}, {}), fresh);
  write("v.h", "int a;");
  CHECK(reading.digest({at("v.h"), FileKind::file})->xxh3 == xxh3("int a;"));
  struct stat status;
  REQUIRE(::stat(at("v.h").c_str(), &status) == 0);
  CHECK_FALSE(fresh->find(client::stampOf(status)));
}

TEST_CASE_METHOD(Tree,
                 "several digests come in the order of their questions, whatever directories they are in") {
  write("a/v.h", "1");
  write("a/b/v.h", "2");
  write("c/v.h", "3");
  fs::create_symlink("a", home / "link");
  std::vector<DigestQuestion> questions;
  for (const char* path : {"a/v.h", "c/v.h", "a/b/v.h", "a/no.h", "no/v.h", "link/v.h", "a", "a/v.h/w.h"}) {
    questions.push_back({at(path), FileKind::file});
  }
  auto found = reader.digests(questions);
  REQUIRE(found.states.size() == questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto alone = reader.digest(questions[i]);
    REQUIRE((found.states[i] && alone));
    CHECK(found.states[i]->kind == alone->kind);
    CHECK(found.states[i]->xxh3 == alone->xxh3);
    CHECK(found.states[i]->identity == alone->identity);
  }
  CHECK(found.states[5]->identity == found.states[0]->identity);
}

TEST_CASE_METHOD(Tree, "what had to be read is told, and told once") {
  write("v.h", "int v;");
  write("w.h", "int w;");
  const std::vector<DigestQuestion> questions{
      {at("v.h"), FileKind::file}, {at("no.h"), FileKind::absent}, {at("w.h"), FileKind::file}};
  auto read = reader.digests(questions).read;
  REQUIRE(read.size() == 2);
  CHECK(read[0].xxh3 == xxh3("int v;"));
  CHECK(cache->find(read[1].stamp) == xxh3("int w;"));
  CHECK(reader.digests(questions).read.empty());
}
