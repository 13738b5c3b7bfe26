// Answers that come ahead of their question.
#include "frontends/process/client_view.h"

#include <catch2/catch.hpp>

#include "jit/sha256.h"
#include "stand_in_client.h"

using namespace kiln;
using namespace kiln::test;

namespace {

using Kind = FileAnswer::Kind;

FileAnswer fileAnswer(const std::string& content, std::uint64_t identity) {
  return {Kind::file, identity, content.size(), content};
}

Dependency file(const std::string& below, std::string_view content, std::uint32_t number) {
  return {{FileRole::includeDirectory, 0, below},
          FileKind::file,
          content.size(),
          xxh3(content),
          sha256(content),
          number};
}
Dependency absent(const std::string& below) {
  return {{FileRole::includeDirectory, 0, below}, FileKind::absent, 0, {}, {}, 0};
}

// Opens each path of the include directory, in order.
JobOutcome opening(StandInClient& client, std::vector<std::string> paths) {
  return runJobWith(clientRequest(), client, [paths = std::move(paths)](const Request&) {
    std::string log;
    for (const auto& path : paths) log += fileCall("open", "/client/include/" + path) + "|";
    return log;
  });
}

// A client that has a.h, and sends b.h, c.h and the absence of d/e.h along with it.
StandInClient clientAhead() {
  StandInClient client;
  client.file("/client/include/a.h", "int a;", 1);
  client.sendAhead("/client/include/b.h", fileAnswer("int b;", 2));
  client.sendAhead("/client/include/c.h", fileAnswer("int c;", 3));
  client.sendAhead("/client/include/d/e.h", {Kind::absent, 0, 0, "/client/include/d"});
  return client;
}

}  // namespace

TEST_CASE("an answer that came ahead is used without a question") {
  auto client = clientAhead();
  auto outcome = opening(client, {"a.h", "b.h", "d/e.h", "d/f.h"});
  CHECK(outcome.log() == "text: int a;|text: int b;|error: ENOENT|error: ENOENT|");
  CHECK(client.questions() == std::vector<FileQuestion>{{FileQuestion::Kind::look, "/client/include/a.h"}});
}

TEST_CASE("what came ahead is recorded once the compiler asks for it, and not before") {
  auto client = clientAhead();
  auto outcome = opening(client, {"a.h", "c.h", "d/e.h"});
  REQUIRE(outcome.compiled);
  CHECK(outcome.compiled->dependencies ==
        normalised({file("a.h", "int a;", 1), file("c.h", "int c;", 2), absent("d")}));
}

TEST_CASE("what was asked for stands, whatever comes ahead later") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;").file("/client/include/b.h", "int b;");
  client.sendAhead("/client/include/a.h", fileAnswer("int changed;", 9));
  auto outcome = opening(client, {"a.h", "b.h", "a.h"});
  CHECK(outcome.log() == "text: int a;|text: int b;|text: int a;|");
}

TEST_CASE("what came ahead answers looks only") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;").link("/client/include/l.h", "b.h");
  client.sendAhead("/client/include/l.h", fileAnswer("int b;", 2));
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    fileCall("open", "/client/include/a.h");
    return fileCall("readlink", "/client/include/l.h");
  });
  CHECK(outcome.log() == "link: b.h");
  CHECK(client.questions().back() == FileQuestion{FileQuestion::Kind::readLink, "/client/include/l.h"});
}

TEST_CASE("an answer that must not be given ahead is asked for") {
  StandInClient client;
  client.file("/client/include/a.h", "int a;").file("/client/include/b.h", "int b;");
  client.sendAhead("/client/include/b.h", {Kind::denied, 0, 0, "not for you"});
  CHECK(opening(client, {"a.h", "b.h"}).log() == "text: int a;|text: int b;|");
  CHECK(client.timesAsked("/client/include/b.h") == 1);
}
