#include "stand_in_client.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>

#include "compiler.capnp.h"
#include "frontends/process/job.h"
#include "frontends/process/message_io.h"
#include "rpc/schema/convert.h"

namespace kiln::test {
namespace {

class StandInCompiler final : public Compiler {
 public:
  explicit StandInCompiler(const CompileFunction& compile) : compile_(compile) {}

  [[nodiscard]] std::string version() const override { return "1.0"; }
  [[nodiscard]] std::expected<std::vector<std::string>, Failure> targets() const override {
    return std::vector<std::string>{"sm_90"};
  }
  std::expected<Artifact, Failure> compile(const Request& request) override {
    Artifact artifact;
    artifact.log = compile_(request);
    artifact.outputs.push_back({OutputKind::cubin, "_4_none_", {}});
    return artifact;
  }
  std::expected<void, Failure> warm() override { return {}; }

 private:
  const CompileFunction& compile_;
};

const Frontend& standInFrontend() {
  static const Frontend frontend{.name = "stand-in",
                                 .language = Language::cuda,
                                 .revision = 1,
                                 .library = {},
                                 .load = nullptr,
                                 .checkOptions = nullptr,
                                 .optionsBindNames = [](const Request&) { return false; },
                                 .files = {.scratch = "/tmp/own-", .probes = {"tools/", "/opt/tools"}}};
  return frontend;
}

FileQuestion read(schema::FileQuestion::Reader reader) {
  return {static_cast<FileQuestion::Kind>(reader.getKind()), std::string(convert::text(reader.getPath()))};
}

Compiled read(schema::Finished::Reader reader) {
  Compiled compiled;
  compiled.dependencies = convert::read(reader.getDependencies()).value();
  compiled.namesBind = reader.getNamesBind();
  compiled.compileMilliseconds = reader.getCompileMs();
  compiled.unclean = convert::text(reader.getUnclean());
  if (reader.isArtifact()) {
    compiled.result = convert::read(reader.getArtifact()).value();
  } else {
    compiled.result = convert::read(reader.getFailure());
  }
  return compiled;
}

void* fileCallsLibrary() {
  static void* library = [] {
    auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libfile_calls.so";
    void* loaded = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) throw std::runtime_error(::dlerror());
    return loaded;
  }();
  return library;
}

}  // namespace

StandInClient& StandInClient::answer(FileQuestion::Kind kind, const std::string& path, FileAnswer answer) {
  answers_[{kind, path}] = std::move(answer);
  return *this;
}

StandInClient& StandInClient::file(const std::string& path, std::string content, std::uint64_t identity) {
  FileAnswer file{FileAnswer::Kind::file, identity == 0 ? nextIdentity_++ : identity, content.size(),
                  content};
  answer(FileQuestion::Kind::readLink, path, {FileAnswer::Kind::failed, 0, 0, "Invalid argument", EINVAL});
  answer(FileQuestion::Kind::resolve, path, {FileAnswer::Kind::text, 0, 0, path});
  return answer(FileQuestion::Kind::look, path, std::move(file));
}

StandInClient& StandInClient::directory(const std::string& path, std::vector<std::string> names) {
  answer(FileQuestion::Kind::list, path, {FileAnswer::Kind::listing, 0, 0, "", 0, std::move(names)});
  return answer(FileQuestion::Kind::look, path, {FileAnswer::Kind::directory, nextIdentity_++});
}

StandInClient& StandInClient::link(const std::string& path, std::string text) {
  return answer(FileQuestion::Kind::readLink, path, {FileAnswer::Kind::text, 0, 0, std::move(text)});
}

StandInClient& StandInClient::resolved(const std::string& path, std::string text) {
  return answer(FileQuestion::Kind::resolve, path, {FileAnswer::Kind::text, 0, 0, std::move(text)});
}

StandInClient& StandInClient::absent(const std::string& path, std::string missing) {
  return answer(FileQuestion::Kind::look, path, {FileAnswer::Kind::absent, 0, 0, std::move(missing)});
}

StandInClient& StandInClient::sendAhead(const std::string& path, FileAnswer answer) {
  ahead_.push_back({path, std::move(answer)});
  return *this;
}

FileAnswer StandInClient::answer(const FileQuestion& question) {
  questions_.push_back(question);
  auto found = answers_.find({question.kind, question.path});
  return found == answers_.end() ? FileAnswer{FileAnswer::Kind::absent, 0, 0, question.path} : found->second;
}

int StandInClient::timesAsked(const std::string& path) const {
  return static_cast<int>(std::count_if(questions_.begin(), questions_.end(),
                                        [&](const FileQuestion& question) { return question.path == path; }));
}

std::optional<Compiled> serveJob(int socket, const Request& request, StandInClient& client) {
  MessageSocket messages(socket);
  capnp::MallocMessageBuilder job;
  convert::write(job.initRoot<schema::Job>().initRequest(), request);
  if (!messages.send(job)) return std::nullopt;
  while (auto message = messages.receive()) {
    auto reader = (*message)->reader.getRoot<schema::ChildMessage>();
    if (reader.isFinished()) return read(reader.getFinished());
    capnp::MallocMessageBuilder answer;
    auto reply = answer.initRoot<schema::FileReply>();
    convert::write(reply.initAnswer(), client.answer(read(reader.getQuestion())));
    convert::write(reply.initAhead(static_cast<unsigned>(client.ahead().size())), client.ahead());
    if (!messages.send(answer)) break;
  }
  return std::nullopt;
}

std::string JobOutcome::log() const {
  const auto* artifact = compiled ? std::get_if<Artifact>(&compiled->result) : nullptr;
  return artifact == nullptr ? "no artifact" : artifact->log;
}

const Failure* JobOutcome::failure() const {
  return compiled ? std::get_if<Failure>(&compiled->result) : nullptr;
}

JobOutcome runJobWith(const Request& request, StandInClient& client, const CompileFunction& compile,
                      const std::string& toolchainDirectory) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    throw std::runtime_error("socketpair");
  fileCallsLibrary();
  pid_t child = ::fork();
  if (child == 0) {
    ::close(sockets[0]);
    LoadedToolchain toolchain{&standInFrontend(), std::make_unique<StandInCompiler>(compile),
                              toolchainDirectory};
    ::_exit(runJob(sockets[1], toolchain));
  }
  ::close(sockets[1]);
  JobOutcome outcome;
  outcome.compiled = serveJob(sockets[0], request, client);
  ::close(sockets[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.exitStatus = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Request clientRequest() {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = "extern \"C\" __global__ void k() {}\n";
  request.names = {"/client/src/k.cu", "/client/work", {"/client/include"}};
  request.outputs = {OutputKind::cubin};
  request.timestamp = 1'700'000'000;
  return request;
}

std::string fileCall(const std::string& function, const std::string& path) {
  auto call =
      reinterpret_cast<const char* (*)(const char*, const char*)>(::dlsym(fileCallsLibrary(), "fileCall"));
  return call(function.c_str(), path.c_str());
}

std::vector<std::string> fileCallNames() {
  auto list = reinterpret_cast<const char* const* (*)()>(::dlsym(fileCallsLibrary(), "fileCallNames"));
  std::vector<std::string> names;
  for (const char* const* name = list(); *name != nullptr; ++name) names.emplace_back(*name);
  return names;
}

}  // namespace kiln::test
