// The C++ wrapper, from outside: nothing of kiln's inside is linked here.
#include <kiln/kiln.hpp>

#include <catch2/catch.hpp>

TEST_CASE("a request is built in one expression") {
  kiln::Request request("source");
  request.name("k.cu").target("sm_90").option("-DN=1").includeDirectory("/inc").header("a.h", "int a;");
  request.nameExpression("k<1>")
      .output(KILN_OUTPUT_PTX)
      .timestamp(1)
      .toolchain("nvrtc")
      .workingDirectory("/")
      .virtualArchitecture("compute_80")
      .input("more.ptx", ".version 8.0");
  request.priority(KILN_PRIORITY_BACKGROUND).timeout(std::chrono::seconds(3));
  CHECK(request.get() != nullptr);
}

TEST_CASE("an argument without a meaning throws") {
  kiln::Request request("source");
  CHECK_THROWS_AS(request.includeDirectory(""), std::invalid_argument);
  CHECK_THROWS_AS(request.header("", "x"), std::invalid_argument);
  CHECK_THROWS_AS(request.input("", "x"), std::invalid_argument);
}

TEST_CASE("a result without outputs says why") {
  kiln::Client client(kiln::ClientOptions{"/nowhere/kilnd.sock", "wrapper_test", {"/usr/include"}});
  CHECK(client.socket() == "/nowhere/kilnd.sock");
  auto result = client.compile(kiln::Request("source").target("sm_90"));
  CHECK_FALSE(result);
  CHECK(result.status() == KILN_UNREACHABLE);
  CHECK(result.statusName() == "unreachable");
  CHECK_THAT(result.message(), Catch::Contains("/nowhere/kilnd.sock"));
  CHECK(result.cubin().empty());
  CHECK(result.outputs().empty());
  CHECK(result.dependencies().empty());
  CHECK(result.kernels().empty());
  CHECK(result.resourcesProblem().empty());
  CHECK(std::string(result.loweredName("k")).empty());
}

TEST_CASE("clients and results move") {
  kiln::Client client(kiln::ClientOptions{"/nowhere/kilnd.sock", "", {}});
  auto moved = std::move(client);
  auto result = moved.compile(kiln::Request("source").target("no target"));
  auto other = std::move(result);
  CHECK(other.status() == KILN_UNSUPPORTED_TARGET);
}
