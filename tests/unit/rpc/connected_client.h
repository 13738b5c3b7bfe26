// A client of a server in the same event loop, over a real socket pair, and files that it offers.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/debug.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "jit/request_hash.h"
#include "rpc/schema/convert.h"
#include "rpc/server.h"
#include "tests/unit/jit/service/stand_ins.h"

namespace kiln::test {

// Answers from a map; what is not in it is absent.
class ScriptedFileSource final : public schema::FileSource::Server {
 public:
  explicit ScriptedFileSource(std::map<std::string, std::string> files) : files_(std::move(files)) {}

 protected:
  kj::Promise<void> look(LookContext context) override {
    auto paths = context.getParams().getPaths();
    auto answers = context.getResults().initAnswers(paths.size());
    for (unsigned i = 0; i < paths.size(); ++i) {
      auto found = files_.find(paths[i].cStr());
      if (found == files_.end()) {
        answers[i].setAbsent(paths[i]);
      } else {
        answers[i].setFile(convert::toData(found->second));
        answers[i].setIdentity(1);
      }
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> digests(DigestsContext context) override {
    auto questions = context.getParams().getPaths();
    auto digests = context.getResults().initDigests(questions.size());
    for (unsigned i = 0; i < questions.size(); ++i) {
      auto found = files_.find(questions[i].getPath().cStr());
      digests[i].setKind(
          static_cast<std::uint8_t>(found == files_.end() ? FileKind::absent : FileKind::file));
      if (found == files_.end()) continue;
      auto digest = xxh3(found->second);
      digests[i].setXxh3(convert::toData(digest.view()));
      digests[i].setSize(found->second.size());
      digests[i].setIdentity(1);
    }
    return kj::READY_NOW;
  }

 private:
  std::map<std::string, std::string> files_;
};

// A server over the service's stand-ins.
struct ServerFixture : ServiceFixture {
  ServerFixture() { compilers.reads = {kHeader}; }

  Log log{LogLevel::error};
  bool stopAsked = false;
  SessionContext context{
      .service = service,
      .toolchains = toolchains,
      .store = store,
      .executor = executor,
      .log = log,
      .processes = [] { return std::vector<CompilerProcessInfo>{{41, "nvrtc 13.0", CompilerRole::zygote}}; },
      .stop = [this] { stopAsked = true; },
      .storePath = "/store",
      .jobs = 2,
      .maxSourceMegabytes = 1,
      .timer = io.provider->getTimer()};
  kj::Own<Server> server = kj::heap<Server>(*io.lowLevelProvider, io.provider->getTimer(), context);
};

// Connects without a word; `session()` introduces it.
class ConnectedClient {
 public:
  explicit ConnectedClient(ServerFixture& fixture, std::string domain = "users", uid_t user = geteuid(),
                           Lane lane = Lane::open)
      : fixture_(fixture), stream_(connectTo(std::move(domain), lane, user)), rpc_(*stream_, 4) {}

  schema::Kiln::Client kiln() { return rpc_.bootstrap().castAs<schema::Kiln>(); }

  schema::Session::Client session(bool takesDescriptors = false) {
    auto call = kiln().connectRequest();
    auto client = call.initClient();
    client.setProtocolVersion(schema::PROTOCOL_VERSION);
    client.setTakesDescriptors(takesDescriptors);
    return call.send().wait(fixture_.io.waitScope).getSession();
  }

 private:
  kj::Own<kj::AsyncCapabilityStream> connectTo(std::string domain, Lane lane, uid_t user) {
    int ends[2];
    KJ_SYSCALL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    constexpr auto kOwned = kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP;
    auto& provider = *fixture_.io.lowLevelProvider;
    fixture_.server->serve(provider.wrapUnixSocketFd(ends[0], kOwned), std::move(domain), lane, user);
    return provider.wrapUnixSocketFd(ends[1], kOwned);
  }

  ServerFixture& fixture_;
  kj::Own<kj::AsyncCapabilityStream> stream_;
  capnp::TwoPartyClient rpc_;
};

// A call of compile() for someRequest(source), with the hash that belongs to it.
inline auto compileCall(schema::Session::Client& session, std::map<std::string, std::string> files,
                        const std::string& source = "__global__ void k() {}") {
  auto request = someRequest(source);
  auto call = session.compileRequest();
  convert::write(call.initRequest(), request);
  auto hash = requestHash(request);
  call.setHash(convert::toData(hash.view()));
  call.setFiles(kj::heap<ScriptedFileSource>(std::move(files)));
  return call;
}

}  // namespace kiln::test
