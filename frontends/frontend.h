// The table of frontends: where a new one is wired in.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "frontends/file_digests.h"
#include "jit/compiler.h"
#include "jit/failure.h"
#include "jit/file_stamp.h"
#include "jit/request.h"
#include "jit/toolchain.h"

namespace kiln {

// Where toolchains are looked for, in this order; the first of two with equal identity wins.
struct ToolchainSearch {
  std::vector<std::filesystem::path>
      paths;  // configured: a library, or a directory that holds it somewhere below
  std::vector<std::filesystem::path> pythonPrefixes;  // prefixes whose site-packages are searched
  bool system = true;                                 // CUDA_HOME, the usual prefixes, ldconfig
};

// One compiler library that was found, before anything of it was loaded.
struct FoundLibrary {
  std::filesystem::path library;             // canonical
  std::filesystem::path name;                // as it was found: a link to `library`, or the same
  std::vector<std::filesystem::path> files;  // every file that decides its output, `library` first
  FolderStamp folder;  // from before `files` were looked for, of all that may be one of them
};

struct Frontend {
  std::string_view name;  // "nvrtc"
  Language language;
  // Part of every identity: raised when this frontend drives its library differently.
  std::uint32_t revision;
  std::vector<FoundLibrary> (*find)(const ToolchainSearch& search);
  // A line for each place that the search names and that has nothing of this frontend.
  std::vector<std::string> (*emptyPlaces)(const ToolchainSearch& search);
  // Loads the library; only kiln-compiler calls it.
  std::expected<std::unique_ptr<Compiler>, Failure> (*load)(const std::filesystem::path& library);
  std::expected<void, Failure> (*checkOptions)(const Request& request);
  // Whether the options or the outputs asked for bring the request's names into the output.
  bool (*optionsBindNames)(const Request& request);
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

}  // namespace kiln
