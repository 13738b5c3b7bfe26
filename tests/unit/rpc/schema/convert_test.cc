#include "rpc/schema/convert.h"

#include <capnp/message.h>

#include <catch2/catch.hpp>

#include "tests/support/samples.h"

using namespace kiln;
using namespace kiln::test;

namespace {

// What arrives of `request` after `change(builder)` was done to the message on its way.
template <typename Change>
convert::Read<Request> received(const Request& request, const Change& change) {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::Request>();
  convert::write(builder, request);
  change(builder);
  return convert::read(builder.asReader());
}

template <typename Change>
std::string refusal(const Change& change) {
  auto request = received(sampleRequest(), change);
  REQUIRE_FALSE(request);
  REQUIRE(request.error().kind == FailureKind::invalidRequest);
  return request.error().message;
}

FileAnswer received(const FileAnswer& answer) {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::FileAnswer>();
  convert::write(builder, answer);
  return convert::read(builder.asReader());
}

template <typename Change>
convert::Read<DependencySet> receivedDependencies(const Change& change) {
  auto dependencies = sampleDependencies();
  capnp::MallocMessageBuilder message;
  auto list = message.initRoot<schema::Outcome>().initDependencies(dependencies.size());
  convert::write(list, dependencies);
  change(list);
  return convert::read(list.asReader());
}

}  // namespace

TEST_CASE("A request arrives as it was sent") {
  REQUIRE(received(sampleRequest(), [](auto) {}).value() == sampleRequest());
}

TEST_CASE("Bytes that are no UTF-8 and embedded zeros arrive as they were sent") {
  auto request = sampleRequest();
  request.source = std::string("\xff\0\xfe", 3);
  request.options = {std::string("-DX=\xff\0y", 7)};
  REQUIRE(received(request, [](auto) {}).value() == request);
}

TEST_CASE("A request without outputs asks for the target's usual one") {
  auto none = [](schema::Request::Builder builder) { builder.initOutputs(0); };
  auto request = sampleRequest();
  REQUIRE(received(request, none)->outputs == std::vector{OutputKind::cubin});
  request.target = {Target::Kind::nvidiaVirtual, "compute_90"};
  REQUIRE(received(request, none)->outputs == std::vector{OutputKind::ptx});
}

TEST_CASE("Outputs arrive sorted and once each") {
  auto mixed = [](schema::Request::Builder builder) { builder.setOutputs({3, 1, 3, 2}); };
  REQUIRE(received(sampleRequest(), mixed)->outputs ==
          std::vector{OutputKind::cubin, OutputKind::ptx, OutputKind::ltoir});
}

TEST_CASE("A request with an unknown language or output is refused by its number") {
  REQUIRE(refusal([](schema::Request::Builder b) { b.setLanguage(77); }).find("language 77") == 0);
  REQUIRE(refusal([](schema::Request::Builder b) { b.setOutputs({1, 99}); }).find("output kind 99") == 0);
}

TEST_CASE("A request with an unknown target is refused as an unsupported target") {
  auto request = received(sampleRequest(), [](schema::Request::Builder b) { b.setTarget("sm_banana"); });
  REQUIRE_FALSE(request);
  REQUIRE(request.error().kind == FailureKind::unsupportedTarget);
}

TEST_CASE("A request whose working directory is not absolute is refused") {
  auto message = refusal([](schema::Request::Builder b) { b.getNames().setWorkingDirectory("here"); });
  REQUIRE(message.find("'here'") != std::string::npos);
}

TEST_CASE("A header in memory without a name, or given twice, is refused") {
  REQUIRE(refusal([](schema::Request::Builder b) { b.getHeaders()[0].setName(""); }).find("no name") !=
          std::string::npos);
  REQUIRE(refusal([](schema::Request::Builder b) {
            b.getHeaders()[1].setName("scale.h");
          }).find("'scale.h'") != std::string::npos);
}

TEST_CASE("A failure arrives as it was sent, one of an unknown kind as internal") {
  const Failure failure{FailureKind::compileError, "message", std::string("log\0\xff", 5)};
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::Failure>();
  convert::write(builder, failure);
  REQUIRE(convert::read(builder.asReader()) == failure);
  builder.setKind(999);
  REQUIRE(convert::read(builder.asReader()).kind == FailureKind::internal);
}

TEST_CASE("Dependencies arrive as they were sent") {
  REQUIRE(receivedDependencies([](auto) {}).value() == sampleDependencies());
}

TEST_CASE("A dependency of an unknown role or kind, or with half a digest, is refused by its path") {
  using List = capnp::List<schema::Dependency>::Builder;
  auto path = sampleDependencies()[1].path.path;
  auto refused = [&](auto change) {
    auto set = receivedDependencies([&](List list) { change(list[1]); });
    REQUIRE_FALSE(set);
    REQUIRE(set.error().kind == FailureKind::invalidRequest);
    REQUIRE(set.error().message.find(path) != std::string::npos);
  };
  const kj::byte half[8] = {};
  refused([](schema::Dependency::Builder d) { d.setRole(0); });
  refused([](schema::Dependency::Builder d) { d.setRole(5); });
  refused([](schema::Dependency::Builder d) { d.setKind(0); });
  refused([](schema::Dependency::Builder d) { d.setKind(8); });
  refused([&](schema::Dependency::Builder d) { d.setXxh3(kj::arrayPtr(half, 8)); });
  refused([&](schema::Dependency::Builder d) { d.setSha256(kj::arrayPtr(half, 8)); });
}

TEST_CASE("An artifact arrives as it was sent, with and without digests") {
  auto artifact = sampleArtifact();
  artifact.outputs[1].sha256 = {};
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::Artifact>();
  convert::write(builder, artifact);
  REQUIRE(convert::read(builder.asReader()).value() == artifact);
}

TEST_CASE("A figure of a resource that only a later kiln knows is left out") {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::ResourceUsage>();
  convert::write(builder, sampleArtifact().resources);
  builder.getKernels()[0].getFigures()[1].setResource(99);
  auto usage = convert::read(builder.asReader());
  REQUIRE(usage.kernels.size() == 2);
  REQUIRE(usage.kernels[0].figures == std::map<Resource, std::uint32_t>{{Resource::registers, 24}});
}

TEST_CASE("An artifact with an unknown output, or half a digest, is refused") {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::Artifact>();
  convert::write(builder, sampleArtifact());
  SECTION("an unknown output") { builder.getOutputs()[0].setKind(9); }
  SECTION("half a digest") {
    const kj::byte half[16] = {};
    builder.getOutputs()[0].setSha256(kj::arrayPtr(half, 16));
  }
  REQUIRE(convert::read(builder.asReader()).error().kind == FailureKind::invalidRequest);
}

TEST_CASE("File answers of every kind arrive as they were sent") {
  using Kind = FileAnswer::Kind;
  const FileAnswer answers[] = {
      {Kind::absent, 0, 0, "/missing"},
      {Kind::file, 7, 3, std::string("a\0\xff", 3)},
      {Kind::directory, 8, 0},
      {Kind::other, 0, 0, "a FIFO"},
      {Kind::denied, 0, 0, "not beneath an include directory"},
      {Kind::failed, 0, 0, "Permission denied", 13},
      {Kind::listing, 0, 0, "", 0, {"a", "b"}},
      {Kind::text, 0, 0, "/resolved"},
  };
  for (const auto& answer : answers) REQUIRE(received(answer) == answer);
}

TEST_CASE("The size of a file is that of the content that arrived") {
  FileAnswer answer{FileAnswer::Kind::file, 7, 1000, "abc"};
  REQUIRE(received(answer).size == 3);
}

TEST_CASE("A toolchain arrives as it was sent, but not with half an identity") {
  const Toolchain toolchain{"nvrtc 13.0",       "nvrtc",        "13.0",
                            "/usr/libnvrtc.so", Language::cuda, sha256("nvrtc"),
                            {"sm_75", "sm_90"}, "does not load"};
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::Toolchain>();
  convert::write(builder, toolchain);
  REQUIRE(convert::read(builder.asReader()).value() == toolchain);
  const kj::byte half[16] = {};
  builder.setIdentity(kj::arrayPtr(half, 16));
  REQUIRE_FALSE(convert::read(builder.asReader()));
}

TEST_CASE("A virtual architecture arrives, for cuda alone and where it is one") {
  auto request = sampleRequest();
  request.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, "compute_80"};
  REQUIRE(received(request, [](auto) {}).value() == request);
  auto unknown = received(request, [](auto builder) { builder.setVirtualArchitecture("fast"); });
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == FailureKind::unsupportedTarget);
  auto refused = refusal([](auto builder) {
    builder.setLanguage(static_cast<std::uint16_t>(Language::ptx));
    builder.setVirtualArchitecture("compute_80");
  });
  CHECK_THAT(refused, Catch::Contains("compute_80") && Catch::Contains("cuda") && Catch::Contains("ptx"));
}

TEST_CASE("Further inputs arrive in order, with their names, and of a language that links alone") {
  auto request = sampleLinkRequest();
  request.names.inputs = {"a.ptx", "b.ltoir"};
  REQUIRE(received(request, [](auto) {}).value() == request);
  request.names.inputs.pop_back();
  auto nameless = received(request, [](auto) {});
  REQUIRE_FALSE(nameless);
  CHECK_THAT(nameless.error().message, Catch::Contains("2 further inputs and 1 names"));
  auto refused = refusal([](auto builder) {
    builder.initInputs(1);
    builder.getNames().initInputs(1).set(0, "a.ptx");
  });
  CHECK_THAT(refused, Catch::Contains("'a.ptx'") && Catch::Contains("cuda"));
}
