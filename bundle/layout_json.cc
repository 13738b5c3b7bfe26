#include "bundle/layout_json.h"

#include "bundle/blob_name.h"
#include "bundle/json_document.h"

namespace kiln::bundle {
namespace {

using Json = nlohmann::json;
using Annotations = std::map<std::string, std::string>;

constexpr std::string_view kLayoutVersion = "1.0.0";
constexpr std::string_view kDigestPrefix = "sha256:";

std::unexpected<Problem> wrong(const std::string& where, const std::string& what) {
  return damaged(where + " " + what);
}

Attempt<Json> parseObject(std::string_view text, const std::string& where) {
  auto json = parseDocument(text);
  if (!json) return wrong(where, std::string(json.error()));
  return *std::move(json);
}

// null where there is no such member.
const Json& member(const Json& object, const char* name) {
  static const Json kAbsent;
  auto found = object.find(name);
  return found == object.end() ? kAbsent : *found;
}

// Of index.json and manifests: the same two things that say what they are. A media type may be missing.
Attempt<void> checkVersion(const Json& document, std::string_view mediaType, const std::string& where) {
  if (member(document, "schemaVersion") != 2) {
    return problem(where + " has no schemaVersion 2; kiln may be too old for it");
  }
  const auto& type = member(document, "mediaType");
  if (!type.is_null() && type != mediaType) {
    return wrong(where, "has not the media type " + std::string(mediaType));
  }
  return {};
}

Attempt<Annotations> parseAnnotations(const Json& object, const std::string& where) {
  auto found = object.find("annotations");
  if (found == object.end()) return Annotations();
  if (!found->is_object()) return wrong(where + ".annotations", "is no object");
  Annotations annotations;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) return wrong(where + ".annotations", "has a value that is no string");
    annotations.emplace(key, value.get_ref<const std::string&>());
  }
  return annotations;
}

std::optional<Sha256> parseDigest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix)) return std::nullopt;
  return digestFromHex(text.substr(kDigestPrefix.size()));
}

Attempt<Descriptor> parseDescriptor(const Json& object, const std::string& where) {
  if (!object.is_object()) return wrong(where, "is missing or no object");
  Descriptor descriptor;
  const auto& mediaType = member(object, "mediaType");
  if (!mediaType.is_string() || mediaType.get_ref<const std::string&>().empty())
    return wrong(where, "has no mediaType");
  descriptor.mediaType = mediaType;
  const auto& digest = member(object, "digest");
  if (!digest.is_string()) return wrong(where, "has no digest");
  auto parsed = parseDigest(digest.get_ref<const std::string&>());
  if (!parsed) return wrong(where, "has a digest that is not sha256: and 64 lower-case hexadecimal digits");
  descriptor.digest = *parsed;
  const auto& size = member(object, "size");
  if (!size.is_number_unsigned()) return wrong(where, "has no size");
  descriptor.size = size;
  if (descriptor.size > kMaxBlobSize) return wrong(where, "has a size of more than 4 GiB");
  auto annotations = parseAnnotations(object, where);
  if (!annotations) return std::unexpected(annotations.error());
  descriptor.annotations = *std::move(annotations);
  return descriptor;
}

Attempt<std::vector<Descriptor>> parseDescriptors(const Json& array, const std::string& where) {
  if (!array.is_array()) return wrong(where, "is missing or no array");
  std::vector<Descriptor> descriptors;
  descriptors.reserve(array.size());
  for (const auto& element : array) {
    auto descriptor = parseDescriptor(element, where + "[" + std::to_string(descriptors.size()) + "]");
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
  auto json = parseObject(text, "oci-layout");
  if (!json) return std::unexpected(json.error());
  const auto& version = member(*json, "imageLayoutVersion");
  if (!version.is_string()) return wrong("oci-layout", "has no imageLayoutVersion");
  if (version != kLayoutVersion) {
    return problem("its imageLayoutVersion is " + printable(version.get_ref<const std::string&>()) +
                   ", and this kiln knows 1.0.0 alone; use a kiln that knows it");
  }
  return {};
}

std::string printLayout() { return Json({{"imageLayoutVersion", kLayoutVersion}}).dump(); }

Attempt<std::vector<Descriptor>> parseIndex(std::string_view text) {
  auto json = parseObject(text, "index.json");
  if (!json) return std::unexpected(json.error());
  if (auto checked = checkVersion(*json, kIndexMediaType, "index.json"); !checked) {
    return std::unexpected(checked.error());
  }
  return parseDescriptors(member(*json, "manifests"), "manifests of index.json");
}

std::string printIndex(const Descriptor& manifest, const std::string& artifactType) {
  Json object = toJson(manifest);
  if (!artifactType.empty()) object["artifactType"] = artifactType;
  return Json({{"schemaVersion", 2}, {"mediaType", kIndexMediaType}, {"manifests", Json::array({object})}})
      .dump();
}

Attempt<ImageManifest> parseManifest(std::string_view text) {
  auto json = parseObject(text, "the manifest");
  if (!json) return std::unexpected(json.error());
  if (auto checked = checkVersion(*json, kManifestMediaType, "the manifest"); !checked) {
    return std::unexpected(checked.error());
  }
  const auto& artifactType = member(*json, "artifactType");
  if (!artifactType.is_null() && !artifactType.is_string()) {
    return wrong("the manifest's artifactType", "is no string");
  }
  auto config = parseDescriptor(member(*json, "config"), "the manifest's config");
  if (!config) return std::unexpected(config.error());
  auto layers = parseDescriptors(member(*json, "layers"), "the manifest's layers");
  if (!layers) return std::unexpected(layers.error());
  auto annotations = parseAnnotations(*json, "the manifest");
  if (!annotations) return std::unexpected(annotations.error());
  return ImageManifest{.artifactType = artifactType.is_string() ? artifactType.get<std::string>() : "",
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
