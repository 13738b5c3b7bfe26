#include "frontends/pool/messages.h"

#include <capnp/message.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "pool_fixture.h"
#include "rpc/schema/convert.h"

using namespace kiln;
using Catch::Matchers::Contains;

namespace {

Artifact artifactOf(OutputKind kind) { return {{{kind, "bytes", {}}}, "a log", {}}; }

Dependency absent(std::string path) {
  Dependency dependency;
  dependency.path = {FileRole::absolute, 0, std::move(path)};
  return dependency;
}

struct Finished {
  Finished() { convert::write(builder.initArtifact(), artifactOf(OutputKind::cubin)); }
  auto read() { return readFinished(builder.asReader(), requestFor("")); }
  capnp::MallocMessageBuilder message;
  schema::Finished::Builder builder = message.initRoot<schema::Finished>();
};

std::expected<FileQuestion, Malformed> question(std::uint16_t kind, const std::string& path) {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::FileQuestion>();
  builder.setKind(static_cast<schema::FileQuestion::Kind>(kind));
  builder.setPath(convert::toText(path));
  return readQuestion(builder.asReader());
}

}  // namespace

TEST_CASE("A finished message becomes what was compiled") {
  Finished finished;
  finished.builder.setNamesBind(true);
  finished.builder.setUnclean("a question failed");
  auto compiled = finished.read();
  REQUIRE(compiled);
  CHECK(outputOf(*compiled) == "bytes");
  CHECK(compiled->namesBind);
  CHECK(compiled->unclean == "a question failed");
}

TEST_CASE("Dependencies come in order however the child sent them") {
  Finished finished;
  DependencySet sent{absent("/b"), absent("/a")};
  convert::write(finished.builder.initDependencies(2), sent);
  auto compiled = finished.read();
  REQUIRE(compiled);
  CHECK(compiled->dependencies == DependencySet{absent("/a"), absent("/b")});
}

TEST_CASE("A finished message with the wrong outputs, time or dependencies is refused") {
  Finished finished;
  SECTION("no output") { finished.builder.initArtifact(); }
  SECTION("another output") { convert::write(finished.builder.initArtifact(), artifactOf(OutputKind::ptx)); }
  SECTION("no time") { finished.builder.setCompileMs(std::nan("")); }
  SECTION("a time before the start") { finished.builder.setCompileMs(-1); }
  SECTION("a dependency of an unknown kind") { finished.builder.initDependencies(1)[0].setRole(1); }
  CHECK_FALSE(finished.read());
}

TEST_CASE("A question must be known and name an absolute path") {
  CHECK(question(3, "/a/b") == FileQuestion{FileQuestion::Kind::resolve, "/a/b"});
  CHECK_FALSE(question(4, "/a/b"));
  CHECK_FALSE(question(0, ""));
  CHECK_FALSE(question(0, "a/b"));
  CHECK_FALSE(question(0, std::string("/a\0b", 4)));
}
