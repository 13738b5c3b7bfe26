// Each interposed function, called by name through a library that is loaded as compilers are.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "frontends/process/system_answers.h"
#include "stand_in_client.h"
#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::test;

namespace {

constexpr const char* kHeader = "/client/include/v.h";
constexpr const char* kFolder = "/client/include/folder";
constexpr const char* kLink = "/client/include/link";
constexpr const char* kNothing = "/client/include/nothing";

StandInClient sampleClient() {
  StandInClient client;
  client.file(kHeader, "#define V 1\n").directory(kFolder, {"b.h", "a.h"}).link(kLink, "v.h");
  return client;
}

using Expected = std::map<std::string, std::string>;

void expectEach(Expected& expected, std::initializer_list<const char*> functions, const std::string& result) {
  for (const char* function : functions) expected[function] = result;
}

// Calls every function of `expected` on `path` in one compile and compares.
void check(const Expected& expected, const std::string& path) {
  auto client = sampleClient();
  auto outcome = runJobWith(clientRequest(), client, [&](const Request&) {
    std::string log;
    for (const auto& [function, result] : expected) {
      auto got = fileCall(function, path);
      if (got != result) log += function + " gave '" + got + "' instead of '" + result + "'\n";
    }
    return log;
  });
  CHECK(outcome.log() == "");
}

const std::initializer_list<const char*> kOpens = {"open",     "open64",     "openat",     "openat64",
                                                   "__open_2", "__open64_2", "__openat_2", "__openat64_2",
                                                   "fopen",    "fopen64",    "freopen",    "freopen64"};
const std::initializer_list<const char*> kStatuses = {
    "stat", "stat64", "fstatat", "fstatat64", "__xstat", "__xstat64", "__fxstatat", "__fxstatat64", "statx"};
const std::initializer_list<const char*> kStatusesOfDescriptors = {"fstat", "fstat64", "__fxstat",
                                                                   "__fxstat64"};
const std::initializer_list<const char*> kStatusesOfLinks = {"lstat", "lstat64", "__lxstat", "__lxstat64"};
const std::initializer_list<const char*> kAccesses = {"access", "faccessat", "eaccess", "euidaccess"};
const std::initializer_list<const char*> kReadLinks = {"readlink", "readlinkat", "__readlink_chk",
                                                       "__readlinkat_chk"};
const std::initializer_list<const char*> kResolves = {"realpath", "__realpath_chk", "canonicalize_file_name"};
const std::initializer_list<const char*> kDirectories = {"getcwd", "__getcwd_chk", "get_current_dir_name"};
const std::initializer_list<const char*> kListings = {"opendir",   "fdopendir",   "readdir",  "readdir64",
                                                      "readdir_r", "readdir64_r", "closedir", "rewinddir",
                                                      "telldir",   "seekdir",     "scandir",  "scandir64"};
const std::initializer_list<const char*> kTimes = {"gettimeofday", "clock_gettime", "timespec_get"};
const std::initializer_list<const char*> kRandoms = {"getrandom", "getentropy", "arc4random_buf"};

}  // namespace

TEST_CASE("every function that opens or looks at a file answers with the client's") {
  Expected expected;
  expectEach(expected, kOpens, "text: #define V 1\n");
  expectEach(expected, kStatuses, "file of 12 bytes");
  expectEach(expected, kStatusesOfDescriptors, "file of 12 bytes");
  expectEach(expected, kStatusesOfLinks, "file of 12 bytes");
  expectEach(expected, kAccesses, "granted");
  expectEach(expected, kReadLinks, "error: EINVAL");
  expectEach(expected, kResolves, "path: /client/include/v.h");
  expectEach(expected, kListings, "error: ENOTDIR");
  check(expected, kHeader);
}

TEST_CASE("every function finds nothing where the client has nothing") {
  Expected expected;
  for (auto functions : {kOpens, kStatuses, kStatusesOfDescriptors, kStatusesOfLinks, kAccesses, kReadLinks,
                         kResolves, kListings}) {
    expectEach(expected, functions, "error: ENOENT");
  }
  check(expected, kNothing);
}

TEST_CASE("every function treats a directory as the system does") {
  Expected expected;
  expectEach(expected, kOpens, "error: EISDIR");
  expectEach(expected, kStatuses, "directory");
  expectEach(expected, kStatusesOfDescriptors, "directory");
  expectEach(expected, kAccesses, "granted");
  expectEach(expected, kListings, "names: a.h b.h");
  expectEach(expected, {"dirfd"}, "directory");
  check(expected, kFolder);
}

TEST_CASE("every function that does not follow a link sees the link") {
  Expected expected;
  expectEach(expected, kStatusesOfLinks, "link");
  expectEach(expected, kReadLinks, "link: v.h");
  check(expected, kLink);
}

TEST_CASE("creating a file is refused and makes the compile unclean") {
  for (const char* function : {"creat", "creat64"}) {
    StandInClient client;
    auto outcome =
        runJobWith(clientRequest(), client, [&](const Request&) { return fileCall(function, kNothing); });
    CHECK(outcome.log() == "error: EROFS");
    REQUIRE(outcome.compiled);
    CHECK(outcome.compiled->unclean == "the compiler tried to write '/client/include/nothing'");
    CHECK(client.questions().empty());
  }
}

TEST_CASE("the null device can be written") {
  StandInClient client;
  auto outcome =
      runJobWith(clientRequest(), client, [](const Request&) { return fileCall("creat", "/dev/null"); });
  CHECK(outcome.log() == "opened for writing");
  CHECK(outcome.compiled->unclean.empty());
}

TEST_CASE("the working directory is the client's") {
  Expected expected;
  expectEach(expected, kDirectories, "path: /client/work");
  check(expected, "");
}

TEST_CASE("time and process id follow from the request") {
  auto request = clientRequest();
  Expected expected;
  expectEach(expected, kTimes, "seconds: 1700000000 nanoseconds: 0");
  expectEach(expected, {"time"}, "seconds: 1700000000");
  expectEach(expected, {"getpid"}, "number: " + std::to_string(SystemAnswers(request).processId()));
  check(expected, "");

  auto other = request;
  other.source += " ";
  CHECK(SystemAnswers(other).processId() != SystemAnswers(request).processId());
}

TEST_CASE("random bytes are the same in every compile of a request and go on within one") {
  for (const char* function :
       {"getrandom", "getentropy", "arc4random_buf", "arc4random", "arc4random_uniform"}) {
    auto twice = [&](const Request& request) {
      StandInClient client;
      return runJobWith(request, client,
                        [&](const Request&) { return fileCall(function) + "\n" + fileCall(function); })
          .log();
    };
    auto request = clientRequest();
    auto first = twice(request);
    CHECK(first == twice(request));
    auto end = first.find('\n');
    CHECK(first.substr(0, end) != first.substr(end + 1));
    request.source += " ";
    CHECK(first != twice(request));
  }
}

TEST_CASE("the tests above call every function that there is") {
  std::set<std::string> tested = {"creat",      "creat64",           "dirfd", "time", "getpid",
                                  "arc4random", "arc4random_uniform"};
  for (auto functions : {kOpens, kStatuses, kStatusesOfDescriptors, kStatusesOfLinks, kAccesses, kReadLinks,
                         kResolves, kDirectories, kListings, kTimes, kRandoms}) {
    tested.insert(functions.begin(), functions.end());
  }
  auto names = fileCallNames();
  CHECK(std::set<std::string>(names.begin(), names.end()) == tested);
}

TEST_CASE("outside a compile every function makes the real call") {
  const TemporaryDirectory directory;
  auto path = (directory.path() / "v.h").string();
  std::ofstream(path) << "real";
  std::filesystem::create_symlink("v.h", directory.path() / "link");
  auto link = (directory.path() / "link").string();
  auto folder = directory.path().string();

  for (const char* function : kOpens) CHECK(fileCall(function, path) == "text: real");
  for (auto functions : {kStatuses, kStatusesOfDescriptors, kStatusesOfLinks}) {
    for (const char* function : functions) CHECK(fileCall(function, path) == "file of 4 bytes");
  }
  for (const char* function : kStatusesOfLinks) CHECK(fileCall(function, link) == "link");
  for (const char* function : kAccesses) CHECK(fileCall(function, path) == "granted");
  for (const char* function : kReadLinks) CHECK(fileCall(function, link) == "link: v.h");
  auto real = "path: " + std::filesystem::canonical(path).string();
  for (const char* function : kResolves) CHECK(fileCall(function, link) == real);
  auto here = "path: " + std::filesystem::current_path().string();
  for (const char* function : kDirectories) CHECK(fileCall(function) == here);
  for (const char* function : kListings) {
    auto names = fileCall(function, folder);
    CHECK((names == "names: v.h link" || names == "names: link v.h"));
  }
  CHECK(fileCall("dirfd", folder) == "directory");
  for (const char* function : {"creat", "creat64"}) CHECK(fileCall(function, path) == "opened for writing");
  CHECK(fileCall("getpid") == "number: " + std::to_string(::getpid()));
  for (const char* function : kTimes) CHECK(fileCall(function) != "seconds: 0 nanoseconds: 0");
  CHECK(fileCall("time") != "seconds: 0");
  for (const char* function :
       {"getrandom", "getentropy", "arc4random_buf", "arc4random", "arc4random_uniform"}) {
    CHECK(fileCall(function) != fileCall(function));
  }
}
