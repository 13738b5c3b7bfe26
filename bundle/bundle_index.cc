#include "bundle/bundle_index.h"

#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "bundle/json_document.h"
#include "bundle/problem.h"
#include "jit/request_hash.h"
#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

using Json = nlohmann::json;  // what is written: its objects are sorted

Json toJson(const IndexedEntry& entry) {
  return {{"requestHash", entry.requestHash.hex()},
          {"requestSha256", entry.requestSha256.hex()},
          {"target", entry.target},
          {"toolchain", entry.toolchain.hex()},
          {"dependencies", entry.dependencies.hex()},
          {"outcome", entry.outcome},
          {"outputs", entry.outputs.hex()},
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

// What is missing, of another type or none of the values that there may be.
struct WrongValue {
  std::string what;
};

// An object of the index, with what a person calls it: "kernels[2].entries[0]".
class Object {
 public:
  Object(JsonValue json, const Object* parent, const char* key, std::size_t number)
      : json_(json), parent_(parent), key_(key), number_(number) {
    if (!json_.is_object()) throw WrongValue{where() + " is no object"};
  }

  [[nodiscard]] std::string_view text(const char* key) const {
    const auto text = textOf(member(key));
    if (!text) wrong(key, "is no text");
    return *text;
  }
  [[nodiscard]] std::uint64_t number(const char* key) const {
    std::uint64_t number = 0;
    if (!member(key).is_uint64() || member(key).get(number) != simdjson::SUCCESS)
      wrong(key, "is no whole number");
    return number;
  }
  template <typename Digest>
  [[nodiscard]] Digest digest(const char* key) const {
    const auto digest = Digest::fromHex(text(key));
    if (!digest) wrong(key, "is no digest");
    return *digest;
  }
  [[nodiscard]] Language language() const {
    const auto value = text("language");
    const auto language = parseLanguage(value);
    if (!language) wrong("language", "is " + printable(value) + ", which this kiln does not know");
    return *language;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> texts;
    for (const auto value : array(key)) {
      const auto text = textOf(value);
      if (!text) wrong(key, "holds something else than texts");
      texts.emplace_back(*text);
    }
    return texts;
  }
  // Calls `use` with each object of the array.
  template <typename Use>
  void forEach(const char* key, const Use& use) const {
    std::size_t number = 0;
    for (const auto value : array(key)) use(Object(value, this, key, number++));
  }

 private:
  [[nodiscard]] JsonValue member(const char* key) const {
    const auto found = bundle::member(json_, key);
    if (!found) wrong(key, "is missing");
    return *found;
  }
  [[nodiscard]] simdjson::dom::array array(const char* key) const {
    simdjson::dom::array array;
    if (member(key).get(array) != simdjson::SUCCESS) wrong(key, "is no array");
    return array;
  }
  [[nodiscard]] std::string where() const {
    if (parent_ == nullptr) return {};
    return parent_->path(key_) + "[" + std::to_string(number_) + "]";
  }
  [[nodiscard]] std::string path(const char* key) const {
    const auto here = where();
    return (here.empty() ? "" : here + ".") + key;
  }
  [[noreturn]] void wrong(const char* key, const std::string& how) const {
    throw WrongValue{path(key) + " " + how};
  }

  const JsonValue json_;
  const Object* const parent_;  // null: it is the index itself
  const char* const key_;
  const std::size_t number_;
};

IndexedKernel kernelIn(const Object& object) {
  IndexedKernel kernel;
  kernel.name = object.text("name");
  kernel.language = object.language();
  kernel.identity = object.digest<Sha256>("identity");
  kernel.layer = object.digest<Sha256>("layer");
  object.forEach("entries", [&](const Object& one) {
    kernel.entries.push_back({one.digest<Hash128>("requestHash"), one.digest<Sha256>("requestSha256"),
                              std::string(one.text("target")), one.digest<Sha256>("toolchain"),
                              one.digest<Sha256>("dependencies"), std::string(one.text("outcome")),
                              one.digest<Sha256>("outputs"), one.number("bytes")});
  });
  return kernel;
}

Toolchain toolchainIn(const Object& object) {
  Toolchain toolchain;
  toolchain.name = object.text("name");
  toolchain.frontend = object.text("frontend");
  toolchain.version = object.text("version");
  toolchain.language = object.language();
  toolchain.identity = object.digest<Sha256>("identity");
  toolchain.targets = object.texts("targets");
  return toolchain;
}

BundleIndex indexIn(const Object& object) {
  BundleIndex index;
  std::set<Sha256> known;
  object.forEach("toolchains", [&](const Object& one) {
    index.toolchains.push_back(toolchainIn(one));
    known.insert(index.toolchains.back().identity);
  });
  std::unordered_set<Sha256> layers;
  object.forEach("kernels", [&](const Object& one) {
    const auto& kernel = index.kernels.emplace_back(kernelIn(one));
    if (!layers.insert(kernel.layer).second)
      throw WrongValue{"two kernels have the layer " + kernel.layer.hex()};
    for (const auto& entry : kernel.entries) {
      if (!known.contains(entry.toolchain)) throw WrongValue{"an entry is by a toolchain that is not listed"};
    }
  });
  return index;
}

}  // namespace

Sha256 outputsSha256(const BundledEntry& entry) {
  Sha256Hasher hasher;
  if (const auto* artifact = std::get_if<Artifact>(&entry.result)) {
    for (const auto& output : artifact->outputs) hasher.field(1, output.sha256.view());
    hasher.field(2, asBytes(artifact->log));
  } else {
    hasher.field(2, asBytes(std::get<Failure>(entry.result).log));
  }
  return hasher.finish();
}

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
                     outputsSha256(entry),
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

Entry entryIn(const std::string& domain, BundledEntry& bundled, const IndexedEntry& said,
              std::uint64_t createdAt) {
  Entry entry;
  entry.domain = domain;
  entry.requestHash = said.requestHash;
  entry.requestSha256 = said.requestSha256;
  entry.toolchainIdentity = bundled.toolchainIdentity;
  entry.toolchainName = std::move(bundled.toolchainName);
  entry.names = bundled.request.names;
  entry.namesBind = bundled.namesBind;
  entry.dependencies = std::move(bundled.dependencies);
  entry.result = std::move(bundled.result);
  entry.createdAt = createdAt;
  entry.key = entryKey(entry);
  return entry;
}

std::string whyNotOfOneBundle(const BundleIndex& index, const ImageManifest& manifest) {
  std::unordered_set<Sha256> unmatched;
  unmatched.reserve(manifest.layers.size());
  for (const auto& layer : manifest.layers) {
    if (layer.mediaType == kKernelType) unmatched.insert(layer.digest);
  }
  for (const auto& kernel : index.kernels) {
    if (unmatched.erase(kernel.layer) == 0)
      return "its index names layer " + kernel.layer.hex() + ", which its manifest does not name as a kernel";
  }
  if (unmatched.empty()) return {};
  return "its manifest names the kernel in layer " + unmatched.begin()->hex() + ", which its index does not";
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
  const auto document = JsonDocument::parse(text);
  if (!document) return wrong("it " + std::string(document.error()));
  try {
    const Object object(document->root(), nullptr, nullptr, 0);
    const auto version = object.number("version");
    if (version != kIndexVersion) {
      return std::unexpected(BundleError{what + " is a bundle of version " + std::to_string(version) +
                                         ", and this kiln reads " + std::to_string(kIndexVersion) +
                                         "; use a newer kiln"});
    }
    return indexIn(object);
  } catch (const WrongValue& value) {
    return wrong(value.what);
  }
}

}  // namespace kiln::bundle
