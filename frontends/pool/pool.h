// The daemon's side of the compiler processes: zygotes, children, limits. kilnd is the parent of all of them.
#pragma once

#include <kj/async-io.h>
#include <kj/async-unix.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "jit/service/compilers.h"
#include "jit/toolchain.h"

namespace kiln {

struct PoolOptions {
  std::filesystem::path compilerProgram;            // kiln-compiler
  std::uint64_t memoryLimit = 4ull << 30;           // bytes of anonymous memory of one child
  std::chrono::milliseconds memoryInterval{25};     // how often children's memory is looked at
  std::chrono::milliseconds zygoteStartTimeout{30'000};
};

struct CompilerProcessInfo {
  int processId = 0;
  std::string toolchain;
  bool isZygote = false;
};

// All methods belong to the event loop's thread.
class CompilerPool final : public Compilers {
 public:
  CompilerPool(kj::UnixEventPort& port, PoolOptions options);
  ~CompilerPool() noexcept override;  // kills and reaps every process

  kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                std::chrono::milliseconds timeout, FileAnswerer& files) override;
  // Starts the toolchain's zygote, so that the first compile finds it warm. Errors show with the first compile.
  void prepare(const Toolchain& toolchain);
  [[nodiscard]] std::vector<CompilerProcessInfo> processes() const;

 private:
  class Impl;
  kj::Own<Impl> impl_;
};

}  // namespace kiln
