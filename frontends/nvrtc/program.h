// One compile by NVRTC: a source, its headers, its name expressions.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvrtc/library.h"
#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::nvrtc {

// Not thread-safe. Failures say which call failed.
class Program {
 public:
  // `library` and `request` outlive this.
  static std::expected<Program, Failure> create(const Library& library, const Request& request);
  ~Program();
  Program(Program&& other) noexcept;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::expected<void, Failure> compile(const std::vector<std::string>& options);
  // After a successful compile. Texts come without their terminating NUL.
  std::expected<Output, Failure> output(OutputKind kind);
  std::expected<std::string, Failure> log();
  // In the request's order, each expression once.
  std::expected<std::vector<LoweredName>, Failure> loweredNames();

 private:
  Program(const Library& library, const Request& request, ProgramHandle handle)
      : library_(library), request_(request), handle_(handle) {}
  std::expected<void, Failure> check(Result result, const char* function);
  std::expected<std::string, Failure> bytes(Result (*size)(ProgramHandle, std::size_t*),
                                            Result (*get)(ProgramHandle, char*), const char* function);

  const Library& library_;
  const Request& request_;
  ProgramHandle handle_;
};

}  // namespace kiln::nvrtc
