// The table of frontends: where a new one is wired in.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "frontends/file_digests.h"
#include "frontends/file_habits.h"
#include "frontends/library_search.h"
#include "jit/compiler.h"
#include "jit/failure.h"
#include "jit/file_stamp.h"
#include "jit/request.h"
#include "jit/toolchain.h"

namespace kiln {

struct Frontend {
  std::string_view name;  // "nvrtc"; of the folder here
  Language language;
  // Part of every identity: raised when this frontend drives its library differently.
  std::uint32_t revision;
  LibraryKind library;
  // Loads the library; only kiln-compiler calls it. Null: `program` does, which it is a part of.
  std::expected<std::unique_ptr<Compiler>, Failure> (*load)(const std::filesystem::path& library);
  std::expected<void, Failure> (*checkOptions)(const Request& request);
  // Whether the options or the outputs asked for bring the request's names into the output.
  bool (*optionsBindNames)(const Request& request);
  FileHabits files = {};
  // The program that drives the compiler, beside kiln-compiler, where the compiler is a part of it: then the
  // library is the program, and there is none where that is not installed. Empty: kiln-compiler.
  std::string_view program = {};
  // Whether that program is handed the device libraries that there are (llvm/device_library_search.h).
  bool takesDeviceLibraries = false;
};

// All of them. The table is constant.
const std::vector<Frontend>& frontends();
const Frontend* frontendByName(std::string_view name);
const Frontend* frontendFor(Language language);

// Finds every library of every frontend and computes its identity from the bytes of its files (SHA-256 over
// the frontend's name and revision and each file's digest, framed as fields). Reads whole libraries, unless
// `digests` knows them: blocking. Version, name and targets are left empty: only a process that loads the
// library can tell (pool/describe.h). Copies with equal bytes are all listed, with one identity.
std::vector<Toolchain> findToolchains(const ToolchainSearch& search, FileDigests& digests);

// The places that `search` names in which no frontend finds a library: a line each, for a person.
std::vector<std::string> emptyPlaces(const ToolchainSearch& search);

}  // namespace kiln
