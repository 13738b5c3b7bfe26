#include "frontends/frontend.h"

#include <algorithm>
#include <optional>

#include "frontends/hiprtc/compiler.h"
#include "frontends/hiprtc/discovery.h"
#include "frontends/hiprtc/files.h"
#include "frontends/hiprtc/options.h"
#include "frontends/llvm/device_library_search.h"
#include "frontends/llvm/files.h"
#include "frontends/llvm/options.h"
#include "frontends/mlir/options.h"
#include "frontends/nvjitlink/compiler.h"
#include "frontends/nvjitlink/options.h"
#include "frontends/nvrtc/compiler.h"
#include "frontends/nvrtc/discovery.h"
#include "frontends/nvrtc/options.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

// What enters an identity. The numbers never change their meaning.
enum class IdentityField : std::uint8_t { frontend = 1, revision = 2, file = 3 };

void addField(Sha256Hasher& hasher, IdentityField field, Bytes value) {
  hasher.field(static_cast<std::uint8_t>(field), value);
}

// A folder that was too young to be stamped may be old enough now.
FolderStamp settled(const FolderStamp& stamp) {
  if (stamp.folder.inode != 0) return stamp;
  auto again = stampFolder(stamp.folder.path, stamp.prefix);
  return again == stamp ? again : stamp;
}

// Fills in identity and footprint; `problem` instead of the identity if a file cannot be read.
void identify(Toolchain& toolchain, const Frontend& frontend, const FoundLibrary& found,
              FileDigests& digests) {
  Sha256Hasher hasher;
  addField(hasher, IdentityField::frontend, asBytes(frontend.name));
  const auto revision = littleEndian(frontend.revision);
  addField(hasher, IdentityField::revision, std::as_bytes(std::span(revision)));
  auto& [files, folders] = toolchain.footprint;
  for (const auto& path : found.files) {
    auto read = digests.of(path);
    files.push_back(read ? read->stamp : read.error().stamp);
    if (read) {
      addField(hasher, IdentityField::file, read->digest.view());
    } else if (toolchain.problem.empty()) {
      toolchain.problem = "'" + path.string() + "', which is part of the toolchain, " + read.error().problem;
    }
  }
  if (found.name != found.library) files.push_back(stampFile(found.name.string()));
  for (const auto& folder : found.folders) folders.push_back(settled(folder));
  if (toolchain.problem.empty()) toolchain.identity = hasher.finish();
}

}  // namespace

const std::vector<Frontend>& frontends() {
  static const std::vector<Frontend> table = {
      {"nvrtc", Language::cuda, 2, nvrtc::libraryKind(), nvrtc::load, nvrtc::checkOptions,
       nvrtc::optionsBindNames},
      // It looks at the sources that the line tables of PTX name.
      {"nvjitlink",
       Language::ptx,
       3,
       nvjitlink::libraryKind(),
       nvjitlink::load,
       nvjitlink::checkOptions,
       nvjitlink::optionsBindNames,
       {.readsFiles = false}},
      {"hiprtc", Language::hip, 1, hiprtc::libraryKind(), hiprtc::load, hiprtc::checkOptions,
       hiprtc::optionsBindNames, hiprtc::fileHabits()},
      {"llvm",
       Language::llvmIr,
       1,
       {},
       nullptr,
       llvmir::checkOptions,
       llvmir::optionsBindNames,
       llvmir::fileHabits(),
       "kiln-compiler-llvm",
       true},
      {"mlir",
       Language::mlir,
       1,
       {},
       nullptr,
       mlirir::checkOptions,
       mlirir::optionsBindNames,
       llvmir::fileHabits(),
       "kiln-compiler-mlir",
       true},
  };
  return table;
}

const Frontend* frontendByName(std::string_view name) {
  const auto& all = frontends();
  auto found =
      std::find_if(all.begin(), all.end(), [&](const Frontend& frontend) { return frontend.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const Frontend* frontendFor(Language language) {
  const auto& all = frontends();
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const Frontend& frontend) { return frontend.language == language; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<Toolchain> findToolchains(const ToolchainSearch& search, FileDigests& digests) {
  std::vector<Toolchain> toolchains;
  std::optional<std::vector<std::filesystem::path>>
      deviceLibraries;  // looked for once, if any program takes them
  for (const auto& frontend : frontends()) {
    const bool isProgram = !frontend.program.empty();
    auto all = isProgram ? findProgram(frontend.program, search) : findLibraries(frontend.library, search);
    for (auto& found : all) {
      Toolchain toolchain;
      if (isProgram) toolchain.program = found.library.string();
      if (frontend.takesDeviceLibraries) {
        if (!deviceLibraries) deviceLibraries = findDeviceLibraries(search);
        for (const auto& file : *deviceLibraries) {
          toolchain.handed.push_back(file.string());
          found.files.push_back(file);
        }
      }
      toolchain.frontend = frontend.name;
      toolchain.library = found.library.string();
      toolchain.language = frontend.language;
      identify(toolchain, frontend, found, digests);
      toolchains.push_back(std::move(toolchain));
    }
  }
  return toolchains;
}

std::vector<std::string> emptyPlaces(const ToolchainSearch& search) {
  auto kinds = deviceLibraryKinds();
  std::vector<std::string_view> programs;
  for (const auto& frontend : frontends()) {
    if (frontend.program.empty()) {
      kinds.push_back(frontend.library);
    } else {
      programs.push_back(frontend.program);
    }
  }
  return emptyPlaces(kinds, programs, search);
}

}  // namespace kiln
