#include "bundle/layout_json.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "bundle/blob_name.h"
#include "bundle/json_document.h"

namespace kiln::bundle {
namespace {

using Json = nlohmann::json;  // what is written: its objects are sorted
using Annotations = std::map<std::string, std::string>;

constexpr std::string_view kLayoutVersion = "1.0.0";
constexpr std::string_view kDigestPrefix = "sha256:";

std::unexpected<Problem> wrong(const std::string& where, const std::string& what) {
  return damaged(where + " " + what);
}

Attempt<JsonDocument> parseObject(std::string_view text, const std::string& where) {
  auto document = JsonDocument::parse(text);
  if (!document) return wrong(where, std::string(document.error()));
  return *std::move(document);
}

std::optional<std::uint64_t> numberOf(const std::optional<JsonValue>& value) {
  std::uint64_t number = 0;
  if (!value || !value->is_uint64() || value->get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

// A member that is null is none.
std::optional<JsonValue> presentMember(JsonValue object, const char* name) {
  auto value = member(object, name);
  return value && value->is_null() ? std::nullopt : value;
}

// Of index.json and manifests: the same two things that say what they are. A media type may be missing.
Attempt<void> checkVersion(JsonValue document, std::string_view mediaType, const std::string& where) {
  if (numberOf(member(document, "schemaVersion")) != 2U) {
    return problem(where + " has no schemaVersion 2; kiln may be too old for it");
  }
  const auto type = presentMember(document, "mediaType");
  if (type && textOf(type) != mediaType) {
    return wrong(where, "has not the media type " + std::string(mediaType));
  }
  return {};
}

// `where` is called only for what is wrong.
template <typename Where>
Attempt<Annotations> parseAnnotations(JsonValue object, const Where& where) {
  const auto found = member(object, "annotations");
  if (!found) return Annotations();
  simdjson::dom::object members;
  if (found->get(members) != simdjson::SUCCESS) return wrong(where() + ".annotations", "is no object");
  Annotations annotations;
  for (const auto& [key, value] : members) {
    const auto text = textOf(value);
    if (!text) return wrong(where() + ".annotations", "has a value that is no string");
    annotations.emplace(key, *text);
  }
  return annotations;
}

std::optional<Sha256> parseDigest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix)) return std::nullopt;
  return digestFromHex(text.substr(kDigestPrefix.size()));
}

template <typename Where>
Attempt<Descriptor> parseDescriptor(const std::optional<JsonValue>& object, const Where& where) {
  if (!object || !object->is_object()) return wrong(where(), "is missing or no object");
  Descriptor descriptor;
  const auto mediaType = textOf(member(*object, "mediaType"));
  if (!mediaType || mediaType->empty()) return wrong(where(), "has no mediaType");
  descriptor.mediaType = *mediaType;
  const auto digest = textOf(member(*object, "digest"));
  if (!digest) return wrong(where(), "has no digest");
  auto parsed = parseDigest(*digest);
  if (!parsed) return wrong(where(), "has a digest that is not sha256: and 64 lower-case hexadecimal digits");
  descriptor.digest = *parsed;
  const auto size = numberOf(member(*object, "size"));
  if (!size) return wrong(where(), "has no size");
  descriptor.size = *size;
  if (descriptor.size > kMaxBlobSize) return wrong(where(), "has a size of more than 4 GiB");
  auto annotations = parseAnnotations(*object, where);
  if (!annotations) return std::unexpected(annotations.error());
  descriptor.annotations = *std::move(annotations);
  return descriptor;
}

Attempt<std::vector<Descriptor>> parseDescriptors(const std::optional<JsonValue>& value,
                                                  const std::string& where) {
  simdjson::dom::array array;
  if (!value || value->get(array) != simdjson::SUCCESS) return wrong(where, "is missing or no array");
  std::vector<Descriptor> descriptors;
  descriptors.reserve(array.size());
  for (const auto element : array) {
    auto descriptor =
        parseDescriptor(element, [&] { return where + "[" + std::to_string(descriptors.size()) + "]"; });
    if (!descriptor) return std::unexpected(descriptor.error());
    descriptors.push_back(*std::move(descriptor));
  }
  return descriptors;
}

Json toJson(const Descriptor& descriptor) {
  Json object = {{"mediaType", descriptor.mediaType},
                 {"digest", std::string(kDigestPrefix) + descriptor.digest.hex()},
                 {"size", descriptor.size}};
  if (!descriptor.annotations.empty()) object["annotations"] = descriptor.annotations;
  return object;
}

Json toJson(const ImageManifest& manifest) {
  Json object = {{"schemaVersion", 2},
                 {"mediaType", kManifestMediaType},
                 {"config", toJson(manifest.config)},
                 {"layers", Json::array()}};
  if (!manifest.artifactType.empty()) object["artifactType"] = manifest.artifactType;
  for (const auto& layer : manifest.layers) object["layers"].push_back(toJson(layer));
  if (!manifest.annotations.empty()) object["annotations"] = manifest.annotations;
  return object;
}

}  // namespace

Attempt<void> checkLayout(std::string_view text) {
  const auto document = parseObject(text, "oci-layout");
  if (!document) return std::unexpected(document.error());
  const auto version = textOf(member(document->root(), "imageLayoutVersion"));
  if (!version) return wrong("oci-layout", "has no imageLayoutVersion");
  if (*version != kLayoutVersion) {
    return problem("its imageLayoutVersion is " + printable(*version) +
                   ", and this kiln knows 1.0.0 alone; use a kiln that knows it");
  }
  return {};
}

std::string printLayout() { return Json({{"imageLayoutVersion", kLayoutVersion}}).dump(); }

Attempt<std::vector<Descriptor>> parseIndex(std::string_view text) {
  const auto document = parseObject(text, "index.json");
  if (!document) return std::unexpected(document.error());
  if (auto checked = checkVersion(document->root(), kIndexMediaType, "index.json"); !checked) {
    return std::unexpected(checked.error());
  }
  return parseDescriptors(member(document->root(), "manifests"), "manifests of index.json");
}

std::string printIndex(const Descriptor& manifest, const std::string& artifactType) {
  Json object = toJson(manifest);
  if (!artifactType.empty()) object["artifactType"] = artifactType;
  return Json({{"schemaVersion", 2}, {"mediaType", kIndexMediaType}, {"manifests", Json::array({object})}})
      .dump();
}

Attempt<ImageManifest> parseManifest(std::string_view text) {
  const auto document = parseObject(text, "the manifest");
  if (!document) return std::unexpected(document.error());
  const auto root = document->root();
  if (auto checked = checkVersion(root, kManifestMediaType, "the manifest"); !checked) {
    return std::unexpected(checked.error());
  }
  const auto artifactType = presentMember(root, "artifactType");
  if (artifactType && !textOf(artifactType)) return wrong("the manifest's artifactType", "is no string");
  auto config = parseDescriptor(member(root, "config"), [] { return std::string("the manifest's config"); });
  if (!config) return std::unexpected(config.error());
  auto layers = parseDescriptors(member(root, "layers"), "the manifest's layers");
  if (!layers) return std::unexpected(layers.error());
  auto annotations = parseAnnotations(root, [] { return std::string("the manifest"); });
  if (!annotations) return std::unexpected(annotations.error());
  return ImageManifest{.artifactType = std::string(textOf(artifactType).value_or("")),
                       .config = *std::move(config),
                       .layers = *std::move(layers),
                       .annotations = *std::move(annotations)};
}

Attempt<std::string> printManifest(const ImageManifest& manifest) {
  std::string text;
  try {
    text = toJson(manifest).dump();
  } catch (const Json::type_error&) {
    return problem("the manifest holds text that is not UTF-8; leave that out");
  }
  auto parsed = parseManifest(text);
  if (!parsed) return std::unexpected(parsed.error());
  return text;
}

}  // namespace kiln::bundle
