// What a compiler sees of the client's files, and what of it is recorded.
#include <catch2/catch.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "frontends/process/scratch.h"
#include "jit/sha256.h"
#include "stand_in_client.h"
#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::test;

namespace {

Dependency file(RolePath path, std::string_view content, std::uint32_t number) {
  return {std::move(path), FileKind::file, content.size(), xxh3(content), sha256(content), number};
}
Dependency bare(RolePath path, FileKind kind) { return {std::move(path), kind, 0, {}, {}, 0}; }

constexpr auto kInclude = FileRole::includeDirectory;
constexpr auto kSource = FileRole::sourceDirectory;
constexpr auto kWork = FileRole::workingDirectory;

// Runs one job that opens each path for reading, in order.
JobOutcome opening(StandInClient& client, std::vector<std::string> paths,
                   const Request& request = clientRequest()) {
  return runJobWith(request, client, [paths = std::move(paths)](const Request&) {
    std::string log;
    for (const auto& path : paths) log += fileCall("open", path) + "|";
    return log;
  });
}

std::string statusText(const char* path) {
  struct stat status{};
  if (::stat(path, &status) != 0) return "error";
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + " " +
         std::to_string(status.st_mtim.tv_sec + status.st_ctim.tv_sec + status.st_atim.tv_sec);
}

}  // namespace

TEST_CASE("a file read is recorded with its digests under each role it may have") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;").file("/client/work/b.h", "int b;");
  auto request = clientRequest();
  request.names.includeDirectories.push_back("/client");
  request.source = "#include <include/a.h>\n";
  auto outcome = opening(client, {"/client/include/a.h", "b.h"}, request);

  CHECK(outcome.log() == "text: int a;|text: int b;|");
  CHECK(outcome.exitStatus == 0);
  REQUIRE(outcome.compiled);
  CHECK(outcome.compiled->dependencies ==
        normalised({file({kInclude, 0, "a.h"}, "int a;", 1), file({kInclude, 1, "include/a.h"}, "int a;", 1),
                    file({kWork, 0, "b.h"}, "int b;", 2)}));
  CHECK_FALSE(outcome.compiled->namesBind);
  CHECK(outcome.compiled->unclean.empty());
}

TEST_CASE("a name expression is a text that may lead from one directory to another") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;");
  auto request = clientRequest();
  request.names.includeDirectories.push_back("/client");
  request.nameExpressions = {"k<3>\n#include \"include/a.h\"\n"};
  auto outcome = opening(client, {"/client/include/a.h"}, request);
  REQUIRE(outcome.compiled);
  CHECK(outcome.compiled->dependencies.size() == 2);
}

TEST_CASE("a path is asked for once, however often and by whatever call it is used") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;");
  runJobWith(clientRequest(), client, [](const Request&) {
    for (const char* function : {"stat", "open", "fopen", "access", "__xstat64", "stat"}) {
      fileCall(function, "/client/include/a.h");
      fileCall(function, "/client/include/./missing.h");
      fileCall(function, "../include/a.h");
    }
    return "";
  });
  CHECK(client.timesAsked("/client/include/a.h") == 1);
  CHECK(client.timesAsked("/client/include/missing.h") == 1);
  CHECK(client.timesAsked("/client/work/../include/a.h") == 1);
  CHECK(client.questions().size() == 3);
}

TEST_CASE("an absence covers everything below the missing directory and is recorded once") {
  StandInClient client;
  client.absent("/client/include/cub/block/a.h", "/client/include/cub");
  auto outcome =
      opening(client, {"/client/include/cub/block/a.h", "/client/include/cub/b.h", "/client/include/cub"});
  CHECK(outcome.log() == "error: ENOENT|error: ENOENT|error: ENOENT|");
  CHECK(client.questions().size() == 1);
  CHECK(outcome.compiled->dependencies == DependencySet{bare({kInclude, 0, "cub"}, FileKind::absent)});
}

TEST_CASE("when a request's own directory is missing it is that directory that is recorded") {
  StandInClient client;
  client.absent("/client/include/a.h", "/client");
  auto outcome = opening(client, {"/client/include/a.h"});
  CHECK(outcome.compiled->dependencies == DependencySet{bare({kInclude, 0, ""}, FileKind::absent)});
}

TEST_CASE("links to one file get one number, a copy gets another") {
  StandInClient client;
  client.file("/client/include/a.h", "same", 7).file("/client/include/link.h", "same", 7);
  client.file("/client/include/copy.h", "same", 8);
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    auto a = statusText("/client/include/a.h");
    return std::string(a == statusText("/client/include/link.h") ? "one" : "two") +
           (a == statusText("/client/include/copy.h") ? " one" : " two");
  });
  CHECK(outcome.log() == "one two");
  CHECK(outcome.compiled->dependencies ==
        normalised({file({kInclude, 0, "a.h"}, "same", 1), file({kInclude, 0, "copy.h"}, "same", 2),
                    file({kInclude, 0, "link.h"}, "same", 1)}));
}

TEST_CASE("stat tells no time, and the inode does not depend on the client's tokens") {
  auto seenBy = [](std::uint64_t identity) {
    StandInClient client;
    client.file("/client/include/a.h", "int a;", identity);
    return runJobWith(clientRequest(), client,
                      [](const Request&) { return statusText("/client/include/a.h"); })
        .log();
  };
  CHECK(seenBy(5) == seenBy(900));
  CHECK(seenBy(5).ends_with(" 0"));
}

TEST_CASE("an opened file keeps its identity through its descriptor") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;");
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    int descriptor = ::open("/client/include/a.h", O_RDONLY);
    struct stat byPath{}, byDescriptor{};
    ::stat("/client/include/a.h", &byPath);
    ::fstat(descriptor, &byDescriptor);
    ::close(descriptor);
    bool same = byPath.st_ino == byDescriptor.st_ino && byPath.st_dev == byDescriptor.st_dev &&
                byDescriptor.st_mtim.tv_sec == 0;
    return std::string(same ? "same" : "different");
  });
  CHECK(outcome.log() == "same");
}

TEST_CASE("the source is a regular file under its own name, and a text that may include it binds the names") {
  StandInClient client;
  auto request = clientRequest();
  auto looked = runJobWith(clientRequest(), client,
                           [](const Request&) { return fileCall("__xstat", "/client/src/k.cu"); });
  CHECK(looked.log() == "file of 34 bytes");
  CHECK_FALSE(looked.compiled->namesBind);

  auto lookAndRead = [&] {
    return runJobWith(request, client, [](const Request&) {
      fileCall("stat", "/client/src/k.cu");
      return fileCall("open", "/client/src/k.cu");
    });
  };
  auto read = lookAndRead();
  CHECK(read.log() == "text: " + request.source);
  CHECK_FALSE(read.compiled->namesBind);
  CHECK(read.compiled->dependencies.empty());
  request.headers = {{"h.h", "#include \"k.cu\""}};
  CHECK(lookAndRead().compiled->namesBind);
  CHECK(client.questions().empty());
}

TEST_CASE("the request's own directories are asked after but not recorded, those above them neither") {
  StandInClient client;
  client.directory("/client/src").directory("/client/work");
  auto request = clientRequest();
  request.names.source = "../src/k.cu";
  client.directory("/client/work/../src");
  auto outcome = runJobWith(request, client, [](const Request&) {
    std::string log;
    for (const char* path : {"/client/src", ".", "/client", "/", ".."}) log += fileCall("stat", path) + "|";
    return log;
  });
  CHECK(outcome.log() == "directory|directory|directory|directory|directory|");
  CHECK(client.timesAsked("/client/work/../src") == 1);
  CHECK(client.timesAsked("/client") == 0);
  CHECK(outcome.compiled->dependencies.empty());
}

TEST_CASE(
    "a directory of the request, or above one, that lies in another one is recorded as what it is there") {
  StandInClient client;
  client.directory("/client/include/a").file("/client/include/b", "a file").directory("/client/src/inc");
  auto request = clientRequest();
  request.names.includeDirectories = {"/client/include", "/client/include/a/deep", "/client/include/b/deep",
                                      "/client/src/inc"};
  request.source = "#if __has_include(\"inc\")\n#endif\n";
  auto outcome = runJobWith(request, client, [](const Request&) {
    std::string log;
    for (const char* path : {"/client/include/a", "/client/include/b", "/client/src/inc"})
      log += fileCall("stat", path) + "|";
    return log;
  });
  CHECK(outcome.log() == "directory|file of 6 bytes|directory|");
  CHECK(outcome.compiled->dependencies ==
        normalised({bare({kInclude, 0, "a"}, FileKind::directory), file({kInclude, 0, "b"}, "a file", 1),
                    bare({kSource, 0, "inc"}, FileKind::directory)}));
}

TEST_CASE("a directory that the request names by itself is asked for by that name") {
  StandInClient client;
  client.directory("/client/work");
  auto request = clientRequest();
  request.names.includeDirectories = {"/client/missing/../work"};
  auto outcome = runJobWith(request, client, [](const Request&) { return fileCall("stat", "/client/work"); });
  CHECK(outcome.log() == "directory");
  CHECK(client.timesAsked("/client/missing/../work") == 0);
}

TEST_CASE("other directories, listings, links and resolved paths are recorded as what they are") {
  StandInClient client;
  client.directory("/client/include/folder", {"b.h", "a.h"}).link("/client/include/link", "v.h");
  client.file("/client/src/v.h", "int v;").resolved("/client/src/v.h", "/real/v.h");
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    return fileCall("opendir", "/client/include/folder") + "|" +
           fileCall("readlink", "/client/include/link") + "|" + fileCall("realpath", "/client/src/v.h");
  });
  CHECK(outcome.log() == "names: a.h b.h|link: v.h|path: /real/v.h");
  std::string_view listing("a.h\0b.h\0", 8);
  DependencySet expected =
      normalised({bare({kInclude, 0, "folder"}, FileKind::directory),
                  {{kInclude, 0, "folder"}, FileKind::listing, 0, xxh3(listing), sha256(listing), 0},
                  {{kInclude, 0, "link"}, FileKind::link, 0, xxh3("v.h"), sha256("v.h"), 0},
                  file({kSource, 0, "v.h"}, "int v;", 1),
                  {{kSource, 0, "v.h"}, FileKind::resolved, 0, xxh3("/real/v.h"), sha256("/real/v.h"), 0}});
  CHECK(outcome.compiled->dependencies == expected);
  CHECK(outcome.compiled->namesBind);
}

TEST_CASE("a text read that holds a name token binds the names, one only looked at does not") {
  StandInClient client;
  client.file("/client/include/a.h", "const char* f = __FILE__;");
  CHECK(opening(client, {"/client/include/a.h"}).compiled->namesBind);
  auto looked = runJobWith(clientRequest(), client,
                           [](const Request&) { return fileCall("stat", "/client/include/a.h"); });
  CHECK_FALSE(looked.compiled->namesBind);
}

TEST_CASE("files of the kernel, the driver and the compiler's own invention are absent without a question") {
  StandInClient client;
  auto outcome = opening(client, {"/proc/self/maps", "/sys/devices", "/dev/urandom", "/usr/lib/libcuda.so.1",
                                  "__nv_nvrtc_builtin_header.h", "__nv_name_map"});
  CHECK(outcome.log() ==
        "error: ENOENT|error: ENOENT|error: ENOENT|error: ENOENT|error: ENOENT|error: ENOENT|");
  CHECK(client.questions().empty());
  CHECK(outcome.compiled->dependencies.empty());
}

TEST_CASE("a source in /dev/shm is the client's like any other") {
  StandInClient client;
  client.file("/dev/shm/job/v.h", "int v;");
  auto request = clientRequest();
  request.names.source = "/dev/shm/job/k.cu";
  CHECK(opening(client, {"/dev/shm/job/v.h"}, request).log() == "text: int v;|");
}

TEST_CASE("the toolchain's own libraries are read for real, its neighbours are the client's") {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "libnvrtc-builtins.so.13.0") << "library";
  std::ofstream(directory.path() / "private.key") << "secret";
  StandInClient client;
  auto library = (directory.path() / "libnvrtc-builtins.so.13.0").string();
  auto key = (directory.path() / "private.key").string();
  auto outcome = runJobWith(
      clientRequest(), client,
      [&](const Request&) { return fileCall("open", library) + "|" + fileCall("open", key); },
      directory.path().string());
  CHECK(outcome.log() == "text: library|error: ENOENT");
  CHECK(client.timesAsked(library) == 0);
  CHECK(client.timesAsked(key) == 1);
}

TEST_CASE(
    "paths relative to an opened directory are the client's, relative to anything else the compile is "
    "unclean") {
  StandInClient client;
  client.directory("/client/include/folder").file("/client/include/folder/a.h", "int a;");
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    int folder = ::open("/client/include/folder", O_RDONLY | O_DIRECTORY);
    int descriptor = ::openat(folder, "a.h", O_RDONLY);
    char text[16] = {};
    auto size = ::read(descriptor, text, sizeof text);
    return std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  });
  CHECK(outcome.log() == "int a;");
  CHECK(outcome.compiled->unclean.empty());

  auto strange = runJobWith(clientRequest(), client, [](const Request&) {
    return std::string(::openat(12345, "a.h", O_RDONLY) < 0 && errno == ENOSYS ? "ENOSYS" : "opened");
  });
  CHECK(strange.log() == "ENOSYS");
  CHECK(strange.compiled->unclean.find("'a.h'") != std::string::npos);
}

TEST_CASE("a file named as a directory is none") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;");
  CHECK(opening(client, {"/client/include/a.h/", "/client/include/a.h/."}).log() ==
        "error: ENOTDIR|error: ENOTDIR|");
}

TEST_CASE("looking at a FIFO tells what it is, opening it ends the compile") {
  StandInClient client;
  client.answer(FileQuestion::Kind::look, "/client/include/pipe", {FileAnswer::Kind::other, 0, 0, "a FIFO"});
  auto looked = runJobWith(clientRequest(), client,
                           [](const Request&) { return fileCall("stat", "/client/include/pipe"); });
  CHECK(looked.log() == "other");
  CHECK(looked.compiled->dependencies == DependencySet{bare({kInclude, 0, "pipe"}, FileKind::other)});

  auto opened = opening(client, {"/client/include/pipe"});
  REQUIRE(opened.failure() != nullptr);
  CHECK(opened.failure()->kind == FailureKind::fileUnavailable);
  CHECK(opened.failure()->message.find("'/client/include/pipe', which is a FIFO") != std::string::npos);
}

TEST_CASE("a compiler's scratch directory is its own, on no disk, and no dependency") {
  StandInClient client;
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    std::string log;
    auto note = [&](long result) { log += std::to_string(result < 0 ? -errno : result) + "|"; };
    note(::mkdir("/tmp/own-1", 0770));
    note(::mkdir("/tmp/own-1/in", 0770));
    int descriptor = ::open("/tmp/own-1/in/a", O_RDWR | O_CREAT | O_EXCL, 0644);
    note(::write(descriptor, "one", 3));
    char name[100] = {};
    note(::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), name, sizeof name));
    ::close(descriptor);
    log += std::string(name) + "|";
    note(::rename("/tmp/own-1/in/a", "/tmp/own-1/b"));
    log += fileCall("open", "/tmp/own-1/b") + "|";
    note(::access("/tmp/own-1/in/a", F_OK));
    DIR* directory = ::opendir("/tmp/own-1");
    while (const auto* entry = ::readdir(directory)) log += std::string(entry->d_name) + " ";
    ::closedir(directory);
    note(::remove("/tmp/own-1/b"));
    note(::remove("/tmp/own-1/in"));
    note(::symlink("x", "/tmp/own-1/s"));
    note(::remove("/tmp/own-1"));
    return log;
  });
  CHECK(outcome.log() == "0|0|3|15|/tmp/own-1/in/a|0|text: one|-2|. .. b in 0|0|-1|0|");
  CHECK(outcome.compiled->dependencies.empty());
  CHECK(outcome.compiled->unclean.empty());
  CHECK(client.questions().empty());
  CHECK(::access("/tmp/own-1", F_OK) != 0);
}

TEST_CASE("what changes a directory elsewhere is refused and makes the result unfit to be remembered") {
  using Call = int (*)();
  const std::pair<const char*, Call> calls[] = {
      {"mkdir", [] { return ::mkdir("/tmp/kiln-other-1", 0700); }},
      {"rename", [] { return ::rename("/client/src/k.cu", "/client/src/l.cu"); }},
      {"unlink", [] { return ::unlink("/client/src/k.cu"); }},
      {"rmdir", [] { return ::rmdir("/client/src"); }},
      {"remove", [] { return ::remove("/client/src/k.cu"); }},
      {"link", [] { return ::link("/client/src/k.cu", "/client/src/l.cu"); }},
      {"symlink", [] { return ::symlink("k.cu", "/client/src/l.cu"); }},
      {"chmod", [] { return ::chmod("/client/src/k.cu", 0777); }},
  };
  for (const auto& [name, call] : calls) {
    INFO(name);
    StandInClient client;
    auto outcome = runJobWith(clientRequest(), client, [call = call](const Request&) {
      return call() < 0 ? std::string(std::strerror(errno)) : "done";
    });
    CHECK(outcome.log() == std::strerror(EROFS));
    CHECK_FALSE(outcome.compiled->unclean.empty());
  }
  CHECK(::access("/tmp/kiln-other-1", F_OK) != 0);
}

TEST_CASE("where a compiler looks for tools there are none, unless it is an include directory") {
  auto request = clientRequest();
  StandInClient client;
  client.file("/opt/tools", "no").file("/client/work/tools/x", "no").file("/client/work/tools/x.h", "yes");
  auto look = [](const Request&) {
    return fileCall("open", "tools/x") + "|" + fileCall("open", "/opt/tools") + "|" +
           fileCall("open", "./tools/x.h");
  };
  auto outcome = runJobWith(request, client, look);
  CHECK(outcome.log() == "error: ENOENT|error: ENOENT|text: yes");
  CHECK(client.timesAsked("/client/work/tools/x") == 0);
  CHECK(client.timesAsked("/opt/tools") == 0);

  request.names.includeDirectories = {"tools"};
  CHECK(runJobWith(request, client, look).log() == "text: no|error: ENOENT|text: yes");
}

TEST_CASE("a scratch file that grows past the bounds ends its compile") {
  StandInClient client;
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    ::mkdir("/tmp/own-1", 0770);
    int descriptor = ::open("/tmp/own-1/a", O_RDWR | O_CREAT, 0644);
    auto written = ::pwrite(descriptor, "x", 1, static_cast<off_t>(Scratch::kMostBytes) - 1);
    if (written == 1) written = ::pwrite(descriptor, "x", 1, static_cast<off_t>(Scratch::kMostBytes));
    return "written: " + std::to_string(written);
  });
  CHECK_FALSE(outcome.compiled);
}
