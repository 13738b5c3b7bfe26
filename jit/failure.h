// A failure: the expected ways in which a request does not become an artifact. Failures are values;
// exceptions are for broken invariants and lost connections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

// The values are stored and sent; they never change and are never reused.
enum class FailureKind : std::uint16_t {
  compileError = 1,       // the compiler refused the source; deterministic, remembered with its log
  invalidRequest = 2,     // the request itself cannot be compiled or keyed; the message says what to change
  unsupportedTarget = 3,  // the toolchain does not know the target; the message lists those it knows
  toolchainUnavailable = 4,  // no such toolchain, or it does not load
  timeout = 5,               // the compile passed its time limit
  memoryLimit = 6,           // the compile passed its memory limit
  compilerCrash = 7,         // the compiler process died
  notPinned = 8,             // locked lane: no signed bundle holds it
  overloaded = 9,            // the queue is full
  internal = 10,             // a defect of kiln
  fileUnavailable = 11,      // a file the compiler asked for could not be read through the client
};

struct Failure {
  FailureKind kind = FailureKind::internal;
  // What was tried, on what, what went wrong and what to do; one or more sentences, no trailing newline.
  std::string message;
  // What the compiler wrote, byte for byte; empty unless it ran.
  std::string log = {};

  bool operator==(const Failure&) const = default;
};

// The stable name: "compile_error", "invalid_request", ...
std::string_view name(FailureKind kind);
std::optional<FailureKind> failureKindFromNumber(std::uint16_t number);

// Whether the same request, files and toolchain give this failure every time, so that it may be remembered.
bool isDeterministic(FailureKind kind);

}  // namespace kiln
