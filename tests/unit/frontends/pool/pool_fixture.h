// What the pool's tests share: an event loop, a folder, a toolchain whose behaviour a file tells
// (stand_in_compiler.cc).
#pragma once

#include <kj/async-io.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>

#include "frontends/pool/pool.h"
#include "tests/support/temporary_directory.h"

namespace kiln {

inline std::filesystem::path standInCompiler() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "stand_in_compiler";
}

using test::TemporaryDirectory;

// Stands in for a client.
class StandInFiles final : public FileAnswerer {
 public:
  using Function = std::function<kj::Promise<FileReply>(FileQuestion)>;
  explicit StandInFiles(Function function) : function_(std::move(function)) {}
  kj::Promise<FileReply> answer(FileQuestion question) override { return function_(std::move(question)); }

 private:
  Function function_;
};

inline StandInFiles noFiles() {
  return StandInFiles([](const FileQuestion&) -> kj::Promise<FileReply> { return FileReply{}; });
}

inline Request requestFor(std::string source) {
  Request request;
  request.target = *parseTarget("sm_90");
  request.source = std::move(source);
  request.names = {"k.cu", "/work", {}};
  request.outputs = {OutputKind::cubin};
  return request;
}

inline bool hasNoChildren() {
  return waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

struct PoolFixture {
  explicit PoolFixture(PoolOptions chosen = {}) : options(std::move(chosen)) {
    if (options.compilerProgram.empty()) options.compilerProgram = standInCompiler();
    pool = kj::heap<CompilerPool>(io.unixEventPort, *io.lowLevelProvider, options);
  }

  // A toolchain of its own, whose zygotes do what `behaviour` says.
  Toolchain toolchain(const std::string& behaviour = "") {
    Toolchain result;
    result.name = "standin 7.5";
    result.frontend = "standin";
    result.library = directory.path() / ("library" + std::to_string(++libraries));
    std::ofstream(result.library) << behaviour << "\n";
    return result;
  }

  // How many zygotes were started for it.
  static std::uintmax_t starts(const Toolchain& toolchain) {
    std::filesystem::path path = toolchain.library + ".starts";
    return std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0;
  }

  kj::Promise<Compiled> compile(const Toolchain& toolchain, std::string source, FileAnswerer& files,
                                std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
    return pool->compile(toolchain, requestFor(std::move(source)), timeout, files);
  }
  Compiled compileNow(const Toolchain& toolchain, std::string source,
                      std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
    auto files = noFiles();
    return compile(toolchain, std::move(source), files, timeout).wait(io.waitScope);
  }

  // The process of a zygote, of a spare child, or of one that compiles; 0 if there is none.
  [[nodiscard]] int zygoteId() const { return find(CompilerRole::zygote); }
  [[nodiscard]] int spareId() const { return find(CompilerRole::spare); }
  [[nodiscard]] int childId() const { return find(CompilerRole::compile); }

  [[nodiscard]] std::size_t zygotes() const {
    std::size_t count = 0;
    for (const auto& process : pool->processes()) count += process.role == CompilerRole::zygote ? 1 : 0;
    return count;
  }

  // Turns the event loop until `condition` holds, for 20 s at most.
  void until(const std::function<bool()>& condition) {
    auto& timer = io.provider->getTimer();
    for (auto end = timer.now() + 20 * kj::SECONDS; !condition();) {
      if (timer.now() > end) throw std::runtime_error("what was waited for does not happen");
      timer.afterDelay(1 * kj::MILLISECONDS).wait(io.waitScope);
    }
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  TemporaryDirectory directory;
  PoolOptions options;
  kj::Own<CompilerPool> pool;
  int libraries = 0;

 private:
  [[nodiscard]] int find(CompilerRole role) const {
    for (const auto& process : pool->processes()) {
      if (process.role == role) return process.processId;
    }
    return 0;
  }
};

// What a test expects of a result; the other kind gives an empty one.
inline std::string outputOf(const Compiled& compiled) {
  auto* artifact = std::get_if<Artifact>(&compiled.result);
  return artifact == nullptr ? "" : artifact->outputs.at(0).bytes;
}
inline Failure failureOf(const Compiled& compiled) {
  auto* failure = std::get_if<Failure>(&compiled.result);
  return failure == nullptr ? Failure{} : *failure;
}

}  // namespace kiln
