// How a compile ends.
#include <catch2/catch.hpp>

#include <stdexcept>

#include "frontends/process/job_connection.h"
#include "stand_in_client.h"

using namespace kiln;
using namespace kiln::test;

namespace {

// A compile that reads one file and would go on after that.
JobOutcome readingOne(StandInClient& client) {
  return runJobWith(clientRequest(), client,
                    [](const Request&) { return fileCall("open", "/client/include/a.h") + " and went on"; });
}

}  // namespace

TEST_CASE("a denied file ends the compile with the file, the reason and the remedy") {
  StandInClient client;
  client.answer(
      FileQuestion::Kind::look, "/client/include/a.h",
      {FileAnswer::Kind::denied, 0, 0, "it lies outside the request's directories; allow it with X"});
  auto outcome = readingOne(client);
  REQUIRE(outcome.failure() != nullptr);
  CHECK(outcome.failure()->kind == FailureKind::fileUnavailable);
  CHECK(outcome.failure()->message ==
        "the compiler asked for '/client/include/a.h', which the client does not allow: it lies outside the "
        "request's "
        "directories; allow it with X");
  CHECK(outcome.compiled->unclean == outcome.failure()->message);
  CHECK(outcome.exitStatus == 0);
}

TEST_CASE("a file that cannot be read ends the compile, whatever the compiler would make of it") {
  StandInClient client;
  client.answer(FileQuestion::Kind::look, "/client/include/a.h",
                {FileAnswer::Kind::failed, 0, 0, "Input/output error", EIO});
  auto outcome = readingOne(client);
  REQUIRE(outcome.failure() != nullptr);
  CHECK(outcome.failure()->kind == FailureKind::fileUnavailable);
  CHECK(outcome.failure()->message.find("Input/output error") != std::string::npos);
  CHECK_FALSE(outcome.compiled->unclean.empty());
}

TEST_CASE("an answer that does not fit the question ends the compile") {
  StandInClient client;
  client.answer(FileQuestion::Kind::look, "/client/include/a.h", {FileAnswer::Kind::text, 0, 0, "v.h"});
  auto outcome = readingOne(client);
  REQUIRE(outcome.failure() != nullptr);
  CHECK(outcome.failure()->kind == FailureKind::fileUnavailable);
}

TEST_CASE("a compile that loses kilnd ends at its next question") {
  StandInClient client;
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) {
    // Every socket of the process: kilnd's end is not among them.
    for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
    fileCall("open", "/client/include/a.h");
    return "went on";
  });
  CHECK_FALSE(outcome.compiled);
  CHECK(outcome.exitStatus == JobConnection::kBrokenSocket);
}

TEST_CASE("an exception within kiln is a failure of its own kind") {
  StandInClient client;
  auto outcome = runJobWith(clientRequest(), client,
                            [](const Request&) -> std::string { throw std::runtime_error("impossible"); });
  REQUIRE(outcome.failure() != nullptr);
  CHECK(outcome.failure()->kind == FailureKind::internal);
  CHECK(outcome.failure()->message.find("impossible") != std::string::npos);
}

TEST_CASE("machine code that tells no resource usage is a result all the same") {
  StandInClient client;
  auto outcome = runJobWith(clientRequest(), client, [](const Request&) { return ""; });
  REQUIRE(outcome.failure() == nullptr);
  auto resources = std::get<Artifact>(outcome.compiled->result).resources;
  CHECK(resources.problem == "the cubin is no ELF file of 64 bits");
  CHECK(outcome.compiled->unclean.empty());
}

TEST_CASE("a request that cannot be read is refused with the reason") {
  StandInClient client;
  auto request = clientRequest();
  request.names.workingDirectory = "not/absolute";
  auto outcome = runJobWith(request, client, [](const Request&) { return "compiled"; });
  REQUIRE(outcome.failure() != nullptr);
  CHECK(outcome.failure()->kind == FailureKind::invalidRequest);
}

TEST_CASE("a large source and a large header pass") {
  StandInClient client;
  auto request = clientRequest();
  request.source.assign(100 << 20, ' ');
  client.file("/client/include/a.h", std::string(80 << 20, 'x'));
  auto outcome = runJobWith(request, client, [](const Request& seen) {
    return std::to_string(seen.source.size() + fileCall("fopen", "/client/include/a.h").size());
  });
  CHECK(outcome.log() == std::to_string((180 << 20) + 6));
}

TEST_CASE("the request's own text binds names like any other") {
  StandInClient client;
  auto request = clientRequest();
  request.source += "// __FILE__\n";
  CHECK(runJobWith(request, client, [](const Request&) { return ""; }).compiled->namesBind);
}
