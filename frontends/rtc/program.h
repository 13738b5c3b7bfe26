// One compile by NVRTC or hiprtc: a source, its headers, its name expressions.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/rtc/api.h"
#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::rtc {

// Not thread-safe. Failures say which call failed.
class Program {
 public:
  using GetSize = Result (*)(ProgramHandle, std::size_t*);
  using GetBytes = Result (*)(ProgramHandle, char*);

  // `api` and `request` outlive this. Name expressions are handed over in the order in which they are hashed,
  // each once, since the output may hang on it.
  static std::expected<Program, Failure> create(const Api& api, const Request& request);
  ~Program();
  Program(Program&& other) noexcept;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Once. What failed is in the log.
  Result compile(const std::vector<std::string>& options);
  // What the pair of functions yields whose names, without the prefix, are `function` with and without
  // "Size".
  std::expected<std::string, Failure> bytes(GetSize size, GetBytes get, std::string_view function);
  // The same for a text: without its terminating NUL.
  std::expected<std::string, Failure> text(GetSize size, GetBytes get, std::string_view function);
  std::expected<std::string, Failure> log();
  // After a successful compile: in the request's order, each expression once.
  std::expected<std::vector<LoweredName>, Failure> loweredNames();

 private:
  Program(const Api& api, const Request& request, ProgramHandle handle)
      : api_(api), request_(request), handle_(handle) {}
  std::expected<void, Failure> check(Result result, std::string_view function);

  const Api& api_;
  const Request& request_;
  ProgramHandle handle_;
};

}  // namespace kiln::rtc
