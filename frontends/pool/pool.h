// The daemon's side of the compiler processes: zygotes, children, limits. kilnd is the parent of all of them.
#pragma once

#include <kj/async-io.h>
#include <kj/async-unix.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jit/service/compilers.h"
#include "jit/toolchain.h"

namespace kiln {

struct PoolOptions {
  std::filesystem::path compilerProgram = {};    // kiln-compiler
  std::uint64_t memoryLimit = 4ull << 30;        // bytes of anonymous memory of one child
  std::chrono::milliseconds memoryInterval{25};  // how often children's memory is looked at
  // How long a zygote may take to get ready, and afterwards to clone a child.
  std::chrono::milliseconds zygoteStartTimeout{30'000};
  // Told each line that a compiler process of a toolchain prints; clients have a hand in what it says.
  std::function<void(const std::string& toolchain, std::string_view line)> onPrinted =
      [](const std::string&, std::string_view) {};
};

enum class CompilerRole { zygote, spare, compile };

struct CompilerProcessInfo {
  int processId = 0;
  std::string toolchain;
  CompilerRole role = CompilerRole::compile;
};

// All methods belong to the event loop's thread, and that thread lives as long as the pool: the compilers die
// with it.
class CompilerPool final : public Compilers {
 public:
  // `io` belongs to the loop of `port`; both outlive the pool.
  CompilerPool(kj::UnixEventPort& port, kj::LowLevelAsyncIoProvider& io, PoolOptions options);
  // Kills and reaps every process. Compiles that run are cancelled: their promises reject.
  ~CompilerPool() noexcept override;

  kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                std::chrono::milliseconds timeout, FileAnswerer& files) override;
  // Starts the toolchain's zygote, so that the first compile finds it warm. Errors show with the first
  // compile.
  void prepare(const Toolchain& toolchain);
  // From now on only zygotes of these toolchains, with these very footprints, are kept warm: every other ends
  // when no compile needs it. Until the first call all are kept.
  void keepOnly(ToolchainList toolchains);
  // Every process that lives, also one that was killed and is about to end; in order of processId.
  [[nodiscard]] std::vector<CompilerProcessInfo> processes() const;

 private:
  class Impl;
  kj::Own<Impl> impl_;
};

}  // namespace kiln
