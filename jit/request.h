// A request: everything that the caller chose and that may change the output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/target.h"

namespace kiln {

// Values are stored, sent and hashed; they never change and are never reused.
enum class Language : std::uint16_t { cuda = 1, hip = 2, ptx = 3, llvmIr = 4, mlir = 5 };
enum class OutputKind : std::uint16_t {
  cubin = 1,
  ptx = 2,
  ltoir = 3,
  hsaco = 4,
  bitcode = 5,
  sharedObject = 6
};

std::string_view name(Language language);  // "cuda", "hip", "ptx", "llvm-ir", "mlir"
std::string_view name(OutputKind kind);    // "cubin", "ptx", "ltoir", "hsaco", "bitcode", "shared-object"
std::string languageNames();               // of all, for a person: "cuda, hip, ptx"
std::string outputKindNames();
std::optional<Language> parseLanguage(std::string_view text);
std::optional<OutputKind> parseOutputKind(std::string_view text);
std::optional<Language> languageFromNumber(std::uint16_t number);
std::optional<OutputKind> outputKindFromNumber(std::uint16_t number);

// What a compile for `target` yields where nothing else is asked for: machine code, or PTX.
OutputKind usualOutput(const Target& target);

// The names by which the client knows the request's places. They are not in the request hash: they join the
// key only where they can reach the output (names_binding.h).
struct Names {
  std::string source;            // as the compiler is told, relative to workingDirectory or absolute: "k.cu"
  std::string workingDirectory;  // absolute
  std::vector<std::string> includeDirectories;  // in search order, relative to workingDirectory or absolute
  // Where sources have random names (stand_in_source.h); absolute, empty if there is no such place. Nothing
  // that a compiler is told.
  std::string temporaryDirectory = {};
  // Of Request::inputs, in their order. Logs alone show them (stand_in_source.h).
  std::vector<std::string> inputs = {};

  bool operator==(const Names&) const = default;
};

// A header that exists only in memory, found by the compiler under exactly this name.
struct Header {
  std::string name;
  std::string content;

  bool operator==(const Header&) const = default;
};

struct Request {
  Language language = Language::cuda;
  Target target;
  std::string source;
  Names names;
  std::vector<Header> headers;
  // What is linked with the source, behind it and in this order, by a language that links: PTX or LTO IR.
  std::vector<std::string> inputs;
  // Verbatim and in order. Include directories stand in `names`, the target in `target`, neither here.
  std::vector<std::string> options;
  std::vector<std::string> nameExpressions;
  // Sorted, without duplicates, never empty.
  std::vector<OutputKind> outputs;
  // What time() tells the compiler, in seconds since 1970.
  std::uint64_t timestamp = 0;
  // Where set: what the code for `target` is made of is generated for this, and kept, so that the next target
  // needs no more than the last stage (stages.h). Only stages are stored, never such a request.
  std::optional<Target> virtualArchitecture = {};

  bool operator==(const Request&) const = default;
};

// Beside the request and outside its hash: higher runs first.
enum class Priority : std::uint8_t { background = 0, normal = 1, interactive = 2 };

}  // namespace kiln
