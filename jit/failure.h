// A failure: the expected ways in which a request does not become an artifact. Failures are values;
// exceptions are for broken invariants and lost connections.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln {

// The values are stored and sent; they never change and are never reused. kFailures says what each means.
enum class FailureKind : std::uint16_t {
  compileError = 1,
  invalidRequest = 2,
  unsupportedTarget = 3,
  toolchainUnavailable = 4,
  timeout = 5,
  memoryLimit = 6,
  compilerCrash = 7,
  notPinned = 8,
  overloaded = 9,
  internal = 10,
  fileUnavailable = 11,
};

// Whether the next asker is given a failure again without a compile, and for how long.
enum class Remembered : std::uint8_t {
  no,              // those who wait for the compile get it, and then it is forgotten
  asLongAsStored,  // it has an entry, with its log: kept, found and evicted as an artifact's is
};

struct FailureTraits {
  FailureKind kind;
  std::string_view name;  // stable; ends with a NUL, as the C interface gives it out
  Remembered remembered;
  std::string_view when;
};

// All that there is to a kind of failure. docs/ARCHITECTURE.md has the same table, and a test holds the two
// together.
inline constexpr std::array kFailures = {
    FailureTraits{FailureKind::compileError, "compile_error", Remembered::asLongAsStored,
                  "the compiler refused the source"},
    FailureTraits{FailureKind::invalidRequest, "invalid_request", Remembered::no,
                  "the request cannot be compiled or keyed; the message says what to change"},
    FailureTraits{FailureKind::unsupportedTarget, "unsupported_target", Remembered::no,
                  "the toolchain does not know the target; the message lists those it knows"},
    FailureTraits{FailureKind::toolchainUnavailable, "toolchain_unavailable", Remembered::no,
                  "there is no such toolchain, or it does not load"},
    FailureTraits{
        FailureKind::fileUnavailable, "file_unavailable", Remembered::no,
        "a file that the compiler asked for is not allowed, could not be read, is no regular file, or "
        "was not answered for in time"},
    FailureTraits{FailureKind::notPinned, "not_pinned", Remembered::no,
                  "the socket serves what bundles have brought and nothing else, and they do not have this"},
    FailureTraits{FailureKind::timeout, "timeout", Remembered::no,
                  "the compile passed its time limit and was killed"},
    FailureTraits{FailureKind::memoryLimit, "memory_limit", Remembered::no,
                  "the compile passed its memory limit and was killed, or the compiler was refused memory"},
    FailureTraits{FailureKind::compilerCrash, "compiler_crash", Remembered::no, "the compiler process died"},
    FailureTraits{FailureKind::overloaded, "overloaded", Remembered::no,
                  "the queue is full, or kilnd is stopping"},
    FailureTraits{FailureKind::internal, "internal", Remembered::no, "a defect of kiln"},
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

// "no", or how long, for a person.
std::string_view describe(Remembered remembered);

// Whether the same request, files and toolchain give this failure every time, so that it is remembered.
bool isDeterministic(FailureKind kind);

}  // namespace kiln
