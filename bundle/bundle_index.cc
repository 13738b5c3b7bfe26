#include "bundle/bundle_index.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "jit/request_hash.h"

namespace kiln::bundle {
namespace {

using Json = nlohmann::json;  // its objects are sorted

Json toJson(const IndexedEntry& entry) {
  return {{"requestHash", entry.requestHash.hex()},
          {"requestSha256", entry.requestSha256.hex()},
          {"target", entry.target},
          {"toolchain", entry.toolchain.hex()},
          {"dependencies", entry.dependencies.hex()},
          {"outcome", entry.outcome},
          {"bytes", entry.bytes}};
}

Json toJson(const IndexedKernel& kernel) {
  Json entries = Json::array();
  for (const auto& entry : kernel.entries) entries.push_back(toJson(entry));
  return {{"name", kernel.name},
          {"language", std::string(name(kernel.language))},
          {"identity", kernel.identity.hex()},
          {"layer", kernel.layer.hex()},
          {"entries", std::move(entries)}};
}

Json toJson(const Toolchain& toolchain) {
  return {{"name", toolchain.name},
          {"frontend", toolchain.frontend},
          {"version", toolchain.version},
          {"language", std::string(name(toolchain.language))},
          {"identity", toolchain.identity.hex()},
          {"targets", toolchain.targets}};
}

// What is missing or of another type throws Json::exception; a value that is none of those that there may be
// throws this.
struct WrongValue {
  std::string what;
};

template <typename Digest>
Digest digestIn(const Json& json, const char* key) {
  const auto digest = Digest::fromHex(json.at(key).get_ref<const std::string&>());
  if (!digest) throw WrongValue{std::string("\"") + key + "\" is no digest"};
  return *digest;
}

Language languageIn(const Json& json) {
  const auto& text = json.at("language").get_ref<const std::string&>();
  const auto language = parseLanguage(text);
  if (!language) throw WrongValue{"it has the language '" + text + "', which this kiln does not know"};
  return *language;
}

IndexedKernel kernelIn(const Json& json) {
  IndexedKernel kernel;
  kernel.name = json.at("name").get<std::string>();
  kernel.language = languageIn(json);
  kernel.identity = digestIn<Sha256>(json, "identity");
  kernel.layer = digestIn<Sha256>(json, "layer");
  for (const auto& one : json.at("entries").get_ref<const Json::array_t&>()) {
    kernel.entries.push_back({digestIn<Hash128>(one, "requestHash"), digestIn<Sha256>(one, "requestSha256"),
                              one.at("target").get<std::string>(), digestIn<Sha256>(one, "toolchain"),
                              digestIn<Sha256>(one, "dependencies"), one.at("outcome").get<std::string>(),
                              one.at("bytes").get<std::uint64_t>()});
  }
  return kernel;
}

Toolchain toolchainIn(const Json& json) {
  Toolchain toolchain;
  toolchain.name = json.at("name").get<std::string>();
  toolchain.frontend = json.at("frontend").get<std::string>();
  toolchain.version = json.at("version").get<std::string>();
  toolchain.language = languageIn(json);
  toolchain.identity = digestIn<Sha256>(json, "identity");
  toolchain.targets = json.at("targets").get<std::vector<std::string>>();
  return toolchain;
}

BundleIndex indexIn(const Json& json) {
  BundleIndex index;
  std::set<Sha256> known;
  for (const auto& one : json.at("toolchains").get_ref<const Json::array_t&>()) {
    index.toolchains.push_back(toolchainIn(one));
    known.insert(index.toolchains.back().identity);
  }
  for (const auto& one : json.at("kernels").get_ref<const Json::array_t&>()) {
    index.kernels.push_back(kernelIn(one));
    for (const auto& entry : index.kernels.back().entries) {
      if (!known.contains(entry.toolchain)) throw WrongValue{"an entry is by a toolchain that is not listed"};
    }
  }
  return index;
}

}  // namespace

IndexedKernel indexed(const BundledKernel& kernel, const Sha256& layer) {
  IndexedKernel result;
  result.name = kernel.name;
  result.identity = kernel.identity;
  result.layer = layer;
  for (const auto& entry : kernel.entries) {
    result.language = entry.request.language;
    IndexedEntry one{requestHash(entry.request),
                     requestSha256(entry.request),
                     entry.request.target.name,
                     entry.toolchainIdentity,
                     dependenciesSha256(entry.dependencies),
                     "artifact",
                     0};
    if (const auto* artifact = std::get_if<Artifact>(&entry.result)) {
      for (const auto& output : artifact->outputs) one.bytes += output.bytes.size();
    } else {
      one.outcome = name(std::get<Failure>(entry.result).kind);
    }
    result.entries.push_back(std::move(one));
  }
  return result;
}

std::string writeIndex(const BundleIndex& index) {
  Json kernels = Json::array();
  for (const auto& kernel : index.kernels) kernels.push_back(toJson(kernel));
  Json toolchains = Json::array();
  for (const auto& toolchain : index.toolchains) toolchains.push_back(toJson(toolchain));
  const Json json = {
      {"version", kIndexVersion}, {"toolchains", std::move(toolchains)}, {"kernels", std::move(kernels)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

BundleResult<BundleIndex> parseIndex(std::string_view text, const std::string& what) {
  const auto wrong = [&](const std::string& why) {
    return std::unexpected(
        BundleError{"the index of " + what + " cannot be read: " + why + "; build the bundle anew"});
  };
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return wrong("it is no JSON object");
  try {
    const auto version = json.at("version").get<int>();
    if (version != kIndexVersion) {
      return std::unexpected(BundleError{what + " is a bundle of version " + std::to_string(version) +
                                         ", and this kiln reads " + std::to_string(kIndexVersion) +
                                         "; use a newer kiln"});
    }
    return indexIn(json);
  } catch (const Json::exception& error) {
    return wrong(error.what());
  } catch (const WrongValue& value) {
    return wrong(value.what);
  }
}

}  // namespace kiln::bundle
