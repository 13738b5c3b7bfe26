#include "rpc/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>

#include "rpc/results.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/rpc/connected_client.h"
#include "tests/unit/rpc/sample_bundle.h"

using namespace kiln;
using namespace kiln::test;

namespace {

const std::map<std::string, std::string> kFiles{{"/home/me/inc/a.h", "one"}};

// What a call says when it fails; empty if it does not.
template <typename Call>
std::string exceptionOf(ServerFixture& fixture, Call&& call) {
  return call.send()
      .then([](auto&&) { return std::string(); })
      .catch_([](kj::Exception&& exception) { return std::string(exception.getDescription().cStr()); })
      .wait(fixture.io.waitScope);
}

std::string connectAs(ServerFixture& fixture, std::uint32_t protocol, std::uint32_t hash) {
  ConnectedClient client(fixture);
  auto call = client.kiln().connectRequest();
  call.initClient().setProtocolVersion(protocol);
  call.getClient().setRequestHashVersion(hash);
  return exceptionOf(fixture, std::move(call));
}

// Of someRequest(), without files.
auto lookupCall(schema::Session::Client session) {
  auto request = someRequest();
  auto hash = requestHash(request);
  auto call = session.lookupRequest();
  call.setHash(convert::toData(hash.view()));
  convert::write(call.initNames(), request.names);
  return call;
}

void makeOutputsLarge(ServerFixture& fixture) {
  fixture.compilers.change = [](Compiled& compiled) {
    std::get<Artifact>(compiled.result).outputs[0].bytes = std::string(kDescriptorThreshold, 'x');
  };
}

}  // namespace

TEST_CASE("a client of another protocol or hash version is told both versions") {
  ServerFixture fixture;
  auto protocol = connectAs(fixture, 9999, 0);
  CHECK(protocol.find("protocol version is 9999") != std::string::npos);
  CHECK(protocol.find("is " + std::to_string(schema::PROTOCOL_VERSION)) != std::string::npos);
  auto hash = connectAs(fixture, schema::PROTOCOL_VERSION, 77);
  CHECK(hash.find("request hash version is 77") != std::string::npos);
  CHECK(connectAs(fixture, schema::PROTOCOL_VERSION, kRequestHashVersion).empty());
  CHECK(connectAs(fixture, schema::PROTOCOL_VERSION, 0).empty());
}

TEST_CASE("a compile asks the client for its files and is a hit for the next lookup") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  auto first = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto outcome = first.getOutcome();
  REQUIRE(outcome.isArtifact());
  CHECK(outcome.getHow() == schema::Outcome::How::MISS);
  CHECK(outcome.getKey().size() == 16);
  CHECK(convert::text(outcome.getArtifact().getOutputs()[0].getInline()).ends_with("+one"));

  auto call = lookupCall(session);
  call.setFiles(kj::heap<ScriptedFileSource>(kFiles));
  auto found = call.send().wait(fixture.io.waitScope);
  REQUIRE(found.getResult().isHit());
  CHECK(found.getResult().getHit().getHow() == schema::Outcome::How::HIT);
  CHECK(convert::text(found.getResult().getHit().getKey()) == convert::text(outcome.getKey()));
}

TEST_CASE(
    "a lookup without files finds nothing that depended on any, and the compile that follows is a hit") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto found = lookupCall(session).send().wait(fixture.io.waitScope);
  CHECK(found.getResult().isMiss());
  auto outcome = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  CHECK(outcome.getOutcome().getHow() == schema::Outcome::How::HIT);
}

TEST_CASE("what one domain compiled is no hit, and is not listed, in another") {
  ServerFixture fixture;
  ConnectedClient client(fixture, "first");
  ConnectedClient stranger(fixture, "second");
  auto session = client.session();
  auto other = stranger.session();
  compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto outcome = compileCall(other, kFiles).send().wait(fixture.io.waitScope);
  CHECK(outcome.getOutcome().getHow() == schema::Outcome::How::MISS);
  CHECK(fixture.compilers.jobs.size() == 2);
  auto list = session.listRequest();
  list.setLimit(10);
  CHECK(list.send().wait(fixture.io.waitScope).getEntries().size() == 1);
}

TEST_CASE("a hash that is not the request's is refused without a compile") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  auto call = compileCall(session, kFiles);
  auto wrong = xxh3("something else");
  call.setHash(convert::toData(wrong.view()));
  auto reply = call.send().wait(fixture.io.waitScope);
  REQUIRE(reply.getOutcome().isFailure());
  auto failure = convert::read(reply.getOutcome().getFailure());
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK(failure.message.find(wrong.hex()) != std::string::npos);
  CHECK(fixture.compilers.jobs.empty());
}

TEST_CASE("a source above the limit is refused and the limit named") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  auto reply =
      compileCall(session, kFiles, std::string((1 << 20) + 1, ' ')).send().wait(fixture.io.waitScope);
  REQUIRE(reply.getOutcome().isFailure());
  auto failure = convert::read(reply.getOutcome().getFailure());
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK(failure.message.find("at most 1 MiB") != std::string::npos);
}

TEST_CASE("dropping a call kills its compile") {
  ServerFixture fixture;
  fixture.compilers.isHeld = true;
  ConnectedClient client(fixture);
  auto session = client.session();
  {
    auto call = compileCall(session, kFiles).send();
    while (fixture.compilers.jobs.empty()) fixture.settle();
    CHECK(fixture.compilers.jobs[0]->isRunning);
  }
  while (fixture.compilers.jobs[0]->isRunning) fixture.settle();
  CHECK(fixture.compilers.jobs[0]->isKilled);
}

TEST_CASE("a client that leaves takes its compile with it") {
  ServerFixture fixture;
  fixture.compilers.isHeld = true;
  {
    ConnectedClient client(fixture);
    auto session = client.session();
    auto call = compileCall(session, kFiles).send();
    while (fixture.compilers.jobs.empty()) fixture.settle();
    CHECK(fixture.context.clients == 1);
  }
  while (fixture.compilers.jobs[0]->isRunning) fixture.settle();
  CHECK(fixture.compilers.jobs[0]->isKilled);
  CHECK(fixture.context.clients == 0);
}

TEST_CASE("a server that ends has dropped every call when it is gone") {
  ServerFixture fixture;
  fixture.compilers.isHeld = true;
  ConnectedClient client(fixture);
  auto session = client.session();
  auto call = compileCall(session, kFiles).send();
  while (fixture.compilers.jobs.empty()) fixture.settle();
  fixture.server = nullptr;
  CHECK(fixture.compilers.jobs[0]->isKilled);
}

TEST_CASE("large outputs go by sealed descriptor to those who take them, inline to those who do not") {
  ServerFixture fixture;
  makeOutputsLarge(fixture);
  ConnectedClient taker(fixture);
  auto session = taker.session(true);
  auto reply = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto output = reply.getOutcome().getArtifact().getOutputs()[0];
  REQUIRE(output.isDescriptor());
  auto descriptor = output.getDescriptor().getFd().wait(fixture.io.waitScope);
  KJ_IF_MAYBE (number, descriptor) {
    struct stat status{};
    REQUIRE(fstat(*number, &status) == 0);
    CHECK(static_cast<std::size_t>(status.st_size) == kDescriptorThreshold);
    CHECK(output.getSize() == kDescriptorThreshold);
    CHECK(fcntl(*number, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
  } else {
    FAIL("no descriptor came");
  }

  ConnectedClient other(fixture);
  auto plain = other.session(false);
  auto inlined = compileCall(plain, kFiles).send().wait(fixture.io.waitScope);
  REQUIRE(inlined.getOutcome().getArtifact().getOutputs()[0].isInline());
  CHECK(inlined.getOutcome().getArtifact().getOutputs()[0].getInline().size() == kDescriptorThreshold);
}

TEST_CASE("an output below the threshold is inline for everyone") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session(true);
  auto reply = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  CHECK(reply.getOutcome().getArtifact().getOutputs()[0].isInline());
}

TEST_CASE("only root and the daemon's user may stop it") {
  ServerFixture fixture;
  ConnectedClient stranger(fixture, "users", geteuid() + 1000);
  auto refused = exceptionOf(fixture, stranger.session().stopRequest());
  CHECK(refused.find("only root") != std::string::npos);
  CHECK_FALSE(fixture.stopAsked);
  ConnectedClient owner(fixture);
  CHECK(exceptionOf(fixture, owner.session().stopRequest()).empty());
  CHECK(fixture.stopAsked);
}

TEST_CASE("only root and the daemon's user may bring bundles and remove them; everyone may list them") {
  ServerFixture fixture;
  ConnectedClient stranger(fixture, "users", geteuid() + 1000);
  auto session = stranger.session();
  auto warmed = session.warmRequest().send().wait(fixture.io.waitScope);
  CHECK(convert::text(warmed.getProblem()).find("only root") != std::string::npos);
  CHECK_FALSE(warmed.hasWarming());
  auto removed = session.removeBundleRequest().send().wait(fixture.io.waitScope);
  CHECK(convert::text(removed.getProblem()).find("only root") != std::string::npos);
  CHECK(exceptionOf(fixture, session.bundlesRequest()).empty());
  CHECK(exceptionOf(fixture, session.lanesRequest()).empty());
  ConnectedClient owner(fixture);
  auto answer = owner.session().warmRequest().send().wait(fixture.io.waitScope);
  CHECK(convert::text(answer.getProblem()).find("manifest") != std::string::npos);
  CHECK_FALSE(answer.hasWarming());
}

TEST_CASE("a bundle that came while the store failed to tell of it is served once it is brought again") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  SampleBundle sample;
  const auto offered = sample.offered("users");
  auto warm = [&] {
    auto call = session.warmRequest();
    call.setName(convert::toText(offered.name));
    call.setManifest(convert::toData(offered.manifest));
    call.setIndex(convert::toData(offered.index));
    return call.send().wait(fixture.io.waitScope);
  };
  auto warming = warm().getWarming();
  auto add = warming.addRequest();
  auto layers = add.initLayers(sample.layers.size());
  for (unsigned i = 0; i < sample.layers.size(); ++i) layers.set(i, convert::toData(sample.layers[i]));
  CHECK(add.send().wait(fixture.io.waitScope).getProblem().size() == 0);
  fixture.store.readsFail = true;
  const auto committed = exceptionOf(fixture, warming.commitRequest());
  CHECK(committed.find("the bundle is in the store, which then failed") != std::string::npos);
  fixture.store.readsFail = false;
  CHECK(fixture.service.bundledToolchains("users").empty());
  CHECK(warm().getIsThere());
  CHECK(fixture.service.bundledToolchains("users").size() == 1);
  fixture.store.readsFail = true;
  auto remove = session.removeBundleRequest();
  remove.setDigest(convert::toData(sha256(offered.manifest).view()));
  const auto removed = exceptionOf(fixture, std::move(remove));
  CHECK(removed.find("the bundle is not in the store any more, which then failed") != std::string::npos);
}

TEST_CASE("a client of a locked listener is told not_pinned and its lane, and nothing compiles") {
  ServerFixture fixture;
  ConnectedClient client(fixture, "users", geteuid(), Lane::locked);
  auto session = client.session();
  auto response = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto outcome = response.getOutcome();
  REQUIRE(outcome.isFailure());
  CHECK(outcome.getFailure().getKind() == static_cast<std::uint16_t>(FailureKind::notPinned));
  CHECK(fixture.compilers.jobs.empty());
  auto status = session.statusRequest().send().wait(fixture.io.waitScope);
  CHECK(status.getStatus().getLane() == static_cast<std::uint16_t>(Lane::locked));
}

TEST_CASE("an entry is shown by the first bytes of its key, without source and bytes") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  auto reply = compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto call = session.showRequest();
  call.setKey(reply.getOutcome().getKey().slice(0, 2));
  auto shown = call.send().wait(fixture.io.waitScope);
  REQUIRE(shown.getFound());
  auto entry = shown.getEntry();
  CHECK(convert::text(entry.getOutcome().getKey()) == convert::text(reply.getOutcome().getKey()));
  CHECK(entry.getOutcome().getArtifact().getOutputs()[0].getInline().size() == 0);
  CHECK(entry.getOutcome().getArtifact().getOutputs()[0].getSize() > 0);
  CHECK(entry.getRequest().getSource().size() == 0);
  CHECK(entry.getSourceSha256().size() == 32);
  auto none = session.showRequest();
  auto absent = xxh3("no such key");
  none.setKey(convert::toData(absent.view()));
  CHECK_FALSE(none.send().wait(fixture.io.waitScope).getFound());
}

TEST_CASE("statistics, status and toolchains tell what the daemon has and did") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  compileCall(session, kFiles).send().wait(fixture.io.waitScope);
  auto stats = session.statsRequest().send().wait(fixture.io.waitScope);
  CHECK(stats.getStats().getCompiles() == 1);
  CHECK(stats.getStats().getEntries() == 1);
  auto reply = session.statusRequest().send().wait(fixture.io.waitScope);
  auto status = reply.getStatus();
  CHECK(convert::text(status.getDomain()) == "users");
  CHECK(status.getClients() == 1);
  CHECK(status.getProcessId() == static_cast<std::uint32_t>(getpid()));
  REQUIRE(status.getCompilers().size() == 1);
  CHECK(status.getCompilers()[0].getRole() == schema::Status::CompilerRole::ZYGOTE);
  auto toolchains = session.toolchainsRequest().send().wait(fixture.io.waitScope);
  unsigned defaults = 0;
  for (auto toolchain : toolchains.getToolchains()) {
    if (!toolchain.getIsDefault()) continue;
    ++defaults;
    CHECK(convert::text(toolchain.getName()) == "nvrtc 13.0");
  }
  CHECK(defaults == 1);
}

TEST_CASE("a client may ask for a scan for toolchains and is told what that found") {
  ServerFixture fixture;
  ConnectedClient client(fixture);
  auto session = client.session();
  fixture.onDisk.resize(1);
  auto before = session.toolchainsRequest().send().wait(fixture.io.waitScope);
  CHECK(before.getToolchains().size() == 3);
  CHECK(fixture.scans == 0);
  auto call = session.toolchainsRequest();
  call.setRescan(true);
  auto after = call.send().wait(fixture.io.waitScope);
  CHECK(after.getToolchains().size() == 1);
  CHECK(fixture.scans == 1);
}

TEST_CASE("a listener's clients come into its domain until it closes") {
  ServerFixture fixture;
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  auto listener = Listener::bind({.path = path, .domain = "team-a"});
  REQUIRE(listener);
  fixture.server->listen(kj::mv(*listener));
  auto address = fixture.io.provider->getNetwork()
                     .parseAddress(kj::str("unix:", path.c_str()))
                     .wait(fixture.io.waitScope);
  auto stream = address->connect().wait(fixture.io.waitScope);
  capnp::TwoPartyClient client(*stream);
  auto call = client.bootstrap().castAs<schema::Kiln>().connectRequest();
  call.initClient().setProtocolVersion(schema::PROTOCOL_VERSION);
  CHECK(convert::text(call.send().wait(fixture.io.waitScope).getDaemon().getDomain()) == "team-a");
  fixture.server->stopListening();
  CHECK_FALSE(std::filesystem::exists(path));
  fixture.server->flushed().wait(fixture.io.waitScope);
}
