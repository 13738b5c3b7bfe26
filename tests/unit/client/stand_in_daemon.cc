#include "tests/unit/client/stand_in_daemon.h"

#include <capnp/rpc-twoparty.h>
#include <fcntl.h>
#include <kj/debug.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <list>
#include <map>

#include "client/unix_stream.h"
#include "jit/question_list.h"
#include "rpc/schema/convert.h"

namespace kiln::test {

using client::EventPort;
using client::SharedLoop;
using client::UnixStream;

struct StandInDaemon::State {
  std::filesystem::path socket;
  StandInScript script;

  std::mutex mutex;
  std::condition_variable changed;
  Seen seen;

  // Of the loop.
  std::map<std::string, std::string> entries;  // by request hash
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> held;
  std::function<void()> dropConnections;

  template <typename Change>
  void note(Change change) {
    std::lock_guard lock(mutex);
    change(seen);
    changed.notify_all();
  }
};

namespace {

using State = StandInDaemon::State;

std::string textOf(schema::FileAnswer::Reader reader) {
  auto answer = convert::read(reader);
  switch (answer.kind) {
    case FileAnswer::Kind::file:
      return "file " + answer.text;
    case FileAnswer::Kind::absent:
      return "absent " + answer.text;
    case FileAnswer::Kind::denied:
      return "denied";
    case FileAnswer::Kind::directory:
      return "directory";
    default:
      return "else";
  }
}

class StandInBlob final : public schema::Blob::Server {
 public:
  explicit StandInBlob(const std::string& bytes)
      : memory_(::memfd_create("blob", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    KJ_REQUIRE(::write(memory_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::fcntl(memory_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
  }
  kj::Maybe<int> getFd() override { return memory_.get(); }

 private:
  kj::AutoCloseFd memory_;
};

class StandInSession final : public schema::Session::Server {
 public:
  explicit StandInSession(std::shared_ptr<State> state) : state_(std::move(state)) {}

  kj::Promise<void> lookup(LookupContext context) override {
    state_->note([&](auto& seen) {
      ++seen.lookups;
      if (context.getParams().hasFiles()) ++seen.lookupsWithFiles;
    });
    if (state_->script.muteLookups) return kj::NEVER_DONE;
    auto found = state_->entries.find(std::string(convert::text(context.getParams().getHash())));
    auto result = context.getResults().initResult();
    if (found == state_->entries.end()) {
      result.setMiss("never seen");
    } else {
      fill(result.initHit(), schema::Outcome::How::HIT, found->second,
           context.getParams().getKnownKey() == keyOfAll().asBytes());
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> compile(CompileContext context) override {
    auto params = context.getParams();
    std::string source(convert::text(params.getRequest().getSource()));
    unsigned number = 0;
    state_->note([&](auto& seen) {
      number = ++seen.compiles;
      seen.sources.push_back(source);
      seen.toolchain = convert::text(params.getToolchain());
      seen.virtualArchitecture = convert::text(params.getRequest().getVirtualArchitecture());
    });
    if (state_->script.dropEveryCompile || (state_->script.dropFirstCompile && number == 1)) {
      state_->dropConnections();
      return kj::NEVER_DONE;
    }
    auto pair = kj::newPromiseAndFulfiller<void>();
    state_->held.push_back(kj::mv(pair.fulfiller));
    if (number >= state_->script.compilesAtOnce) {
      for (auto& held : state_->held) held->fulfill();
      state_->held.clear();
    }
    return pair.promise
        .then([this, context]() mutable { return askForFiles(context.getParams().getFiles()); })
        .then([this, context]() mutable { return askForFingerprint(context.getParams().getFiles(), false); })
        .then([this, context]() mutable { return askForFingerprint(context.getParams().getFiles(), true); })
        .then([this, context, source]() mutable {
          auto binary = StandInDaemon::binaryOf(source);
          state_->entries[std::string(convert::text(context.getParams().getHash()))] = binary;
          fill(context.getResults().initOutcome(), schema::Outcome::How::MISS, binary, false);
        });
  }

  kj::Promise<void> list(ListContext context) override {
    auto entries = context.getResults().initEntries(2);
    for (unsigned i = 0; i < 2; ++i) {
      std::string key(16, '\x12');
      key.back() = static_cast<char>(0x30 + i);
      entries[i].setKey(convert::toData(key));
      entries[i].setTarget("sm_90");
      entries[i].setSourceName("k.cu");
    }
    return kj::READY_NOW;
  }

  kj::Promise<void> toolchains(ToolchainsContext context) override {
    if (context.getParams().getRescan()) state_->note([](auto& seen) { ++seen.rescans; });
    auto toolchain = context.getResults().initToolchains(1)[0];
    toolchain.setName("nvrtc 13.0");
    toolchain.setLanguage(1);
    toolchain.setIdentity(convert::toData(std::string(32, '\x0d')));
    return kj::READY_NOW;
  }

  kj::Promise<void> stop(StopContext) override {
    state_->dropConnections();
    return kj::NEVER_DONE;
  }

  kj::Promise<void> stats(StatsContext) override { KJ_FAIL_REQUIRE("the store is on fire"); }

 private:
  kj::Promise<void> askForFiles(schema::FileSource::Client files) {
    auto request = files.lookRequest();
    auto paths = request.initPaths(state_->script.looks.size());
    for (unsigned i = 0; i < state_->script.looks.size(); ++i) paths.set(i, state_->script.looks[i].c_str());
    return request.send().then([this](auto&& response) {
      state_->note([&](auto& seen) {
        for (auto answer : response.getAnswers()) seen.answers.push_back(textOf(answer));
      });
    });
  }

  kj::Promise<void> askForFingerprint(schema::FileSource::Client files, bool withQuestions) {
    if (state_->script.fingerprintOf.empty()) return kj::READY_NOW;
    std::vector<DigestQuestion> questions;
    for (const auto& path : state_->script.fingerprintOf) questions.push_back({path, FileKind::file});
    auto request = files.fingerprintRequest();
    auto list = makeQuestionList(questions);
    request.setList(convert::toData(list.id.view()));
    if (withQuestions) {
      auto builder = request.initQuestions(questions.size());
      for (unsigned i = 0; i < questions.size(); ++i) {
        builder[i].setPath(questions[i].path.c_str());
        builder[i].setKind(static_cast<std::uint8_t>(questions[i].kind));
      }
      convert::write(request.initHints(state_->script.hints.size()), state_->script.hints);
    }
    return request.send().then([this](auto&& response) {
      auto digest = Hash128::fromBytes(convert::bytes(response.getFingerprint()));
      state_->note([&](auto& seen) {
        seen.fingerprints.push_back(response.getIsKnown() && digest ? digest->hex() : "not known");
      });
    });
  }

  static kj::StringPtr keyOfAll() { return "ZZZZZZZZZZZZZZZZ"; }

  void fill(schema::Outcome::Builder outcome, schema::Outcome::How how, const std::string& binary,
            bool dependenciesKnown) {
    outcome.setHow(how);
    outcome.setKey(keyOfAll().asBytes());
    outcome.setToolchain("nvrtc 13.0");
    outcome.setCompileMs(12.5);
    outcome.setDependenciesKnown(dependenciesKnown);
    if (!dependenciesKnown) fillDependencies(outcome);
    auto artifact = outcome.initArtifact();
    artifact.setLog(convert::toData("a warning\n"));
    auto name = artifact.initLoweredNames(1)[0];
    name.setExpression("scale<float>");
    name.setLowered("_Z5scaleIfE");
    ResourceUsage resources{{{"_Z5scaleIfE", {{Resource::registers, 24}}}}, "the other has no symbol table"};
    convert::write(artifact.initResources(), resources);
    auto output = artifact.initOutputs(1)[0];
    output.setKind(1);
    output.setSize(binary.size());
    output.setSha256(convert::toData(std::string(32, '\xab')));
    if (state_->script.sendDescriptors) {
      output.setDescriptor(kj::heap<StandInBlob>(binary));
    } else {
      output.setInline(convert::toData(binary));
    }
  }

  void fillDependencies(schema::Outcome::Builder outcome) {
    state_->note([](auto& seen) { ++seen.dependenciesSent; });
    if (state_->script.withoutDependencies) return;
    auto dependency = outcome.initDependencies(1)[0];
    dependency.setRole(2);
    dependency.setPath("v.h");
    dependency.setKind(2);
    dependency.setSha256(convert::toData(std::string(32, '\x0f')));
  }

  std::shared_ptr<State> state_;
};

class StandInKiln final : public schema::Kiln::Server {
 public:
  explicit StandInKiln(std::shared_ptr<State> state) : state_(std::move(state)) {}

  kj::Promise<void> connect(ConnectContext context) override {
    state_->note(
        [&](auto& seen) { seen.clientName = convert::text(context.getParams().getClient().getName()); });
    if (state_->script.muteHello) return kj::NEVER_DONE;
    auto daemon = context.getResults().initDaemon();
    daemon.setProtocolVersion(schema::PROTOCOL_VERSION);
    daemon.setRequestHashVersion(state_->script.requestHashVersion);
    daemon.setVersion("stand-in");
    daemon.setDomain("default");
    context.getResults().setSession(kj::heap<StandInSession>(state_));
    return kj::READY_NOW;
  }

 private:
  std::shared_ptr<State> state_;
};

struct Peer {
  Peer(EventPort& port, kj::AutoCloseFd socket, std::shared_ptr<State> state)
      : stream(port, kj::mv(socket)),
        network(stream, 8U, capnp::rpc::twoparty::Side::SERVER),
        rpc(capnp::makeRpcServer(network, kj::heap<StandInKiln>(std::move(state)))) {}

  UnixStream stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
};

kj::AutoCloseFd listenAt(const std::filesystem::path& path) {
  kj::AutoCloseFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  KJ_SYSCALL(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address));
  KJ_SYSCALL(::listen(socket, 128));
  return socket;
}

// Lives on the loop.
class Server final : public SharedLoop::Resident {
 public:
  Server(SharedLoop& loop, std::shared_ptr<State> state)
      : port_(loop.port()),
        state_(std::move(state)),
        socket_(listenAt(state_->socket)),
        observer_(port_, socket_),
        accepting_(accept().eagerlyEvaluate(nullptr)) {
    // Later, since it is called from within a call on one of them.
    state_->dropConnections = [this] {
      dropping_ = kj::evalLater([this] { peers_.clear(); }).eagerlyEvaluate(nullptr);
    };
  }

 private:
  kj::Promise<void> accept() {
    return observer_.whenReadable().then([this] {
      kj::AutoCloseFd accepted(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (accepted.get() >= 0) {
        peers_.emplace_back(port_, kj::mv(accepted), state_);
        state_->note([](auto& seen) { ++seen.connections; });
      }
      return accept();
    });
  }

  EventPort& port_;
  std::shared_ptr<State> state_;
  kj::AutoCloseFd socket_;
  EventPort::Observer observer_;
  std::list<Peer> peers_;
  kj::Promise<void> accepting_;
  kj::Promise<void> dropping_ = nullptr;
};

}  // namespace

StandInDaemon::StandInDaemon(std::filesystem::path socket, StandInScript script)
    : state_(std::make_shared<State>()) {
  state_->socket = std::move(socket);
  state_->script = std::move(script);
  loop_ = std::make_unique<SharedLoop>(
      [state = state_](SharedLoop& loop) { return std::make_unique<Server>(loop, state); });
  thread_ = std::thread([loop = loop_.get()] {
    (void)loop->call<bool>([](SharedLoop::Resident&) -> kj::Promise<bool> { return kj::NEVER_DONE; });
  });
}

StandInDaemon::~StandInDaemon() {
  loop_->stop();
  thread_.join();
  std::filesystem::remove(state_->socket);
}

StandInDaemon::Seen StandInDaemon::seen() {
  std::lock_guard lock(state_->mutex);
  return state_->seen;
}

void StandInDaemon::waitUntil(const std::function<bool(const Seen&)>& enough) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return enough(state_->seen); });
}

}  // namespace kiln::test
