#include "frontends/frontend.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <set>

#include "frontends/nvrtc/compiler.h"
#include "frontends/nvrtc/discovery.h"
#include "frontends/nvrtc/options.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

// What enters an identity. The numbers never change their meaning.
enum class IdentityField : std::uint8_t { frontend = 1, revision = 2, file = 3 };

void addField(Sha256Hasher& hasher, IdentityField field, Bytes value) {
  const auto tag = static_cast<std::byte>(field);
  const auto size = littleEndian(value.size());
  hasher.add({&tag, 1});
  hasher.add(std::as_bytes(std::span(size)));
  hasher.add(value);
}

std::optional<Sha256> digestOfFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Sha256Hasher hasher;
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    hasher.add(asBytes({block.data(), static_cast<std::size_t>(file.gcount())}));
  }
  if (!file.eof()) return std::nullopt;
  return hasher.finish();
}

// Nothing if a file cannot be read; `problem` then says which.
std::optional<Sha256> identityOf(const Frontend& frontend, const FoundLibrary& found, std::string& problem) {
  Sha256Hasher hasher;
  addField(hasher, IdentityField::frontend, asBytes(frontend.name));
  const auto revision = littleEndian(frontend.revision);
  addField(hasher, IdentityField::revision, std::as_bytes(std::span(revision)));
  for (const auto& path : found.files) {
    auto digest = digestOfFile(path);
    if (!digest) {
      problem =
          "cannot read '" + path.string() + "', which is part of the toolchain; make it readable to kilnd";
      return std::nullopt;
    }
    addField(hasher, IdentityField::file, digest->view());
  }
  return hasher.finish();
}

}  // namespace

const std::vector<Frontend>& frontends() {
  static const std::vector<Frontend> table = {
      {"nvrtc", Language::cuda, 1, nvrtc::find, nvrtc::load, nvrtc::checkOptions, nvrtc::optionsBindNames},
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

std::vector<Toolchain> findToolchains(const ToolchainSearch& search) {
  std::vector<Toolchain> toolchains;
  std::set<Sha256> identities;
  for (const auto& frontend : frontends()) {
    for (const auto& found : frontend.find(search)) {
      Toolchain toolchain{.name = {},
                          .frontend = std::string(frontend.name),
                          .version = {},
                          .library = found.library.string(),
                          .language = frontend.language,
                          .identity = {},
                          .targets = {},
                          .problem = {}};
      if (auto identity = identityOf(frontend, found, toolchain.problem)) {
        toolchain.identity = *identity;
        if (!identities.insert(*identity).second) continue;
      }
      toolchains.push_back(std::move(toolchain));
    }
  }
  return toolchains;
}

}  // namespace kiln
