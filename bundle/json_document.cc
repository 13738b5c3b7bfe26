#include "bundle/json_document.h"

#include "bundle/oci_layout.h"

namespace kiln::bundle {
namespace {

// A manifest has four levels, the index of a bundle six.
constexpr std::size_t kMaxDepth = 32;

}  // namespace

std::expected<JsonDocument, std::string_view> JsonDocument::parse(std::string_view text) {
  if (text.size() > kMaxDocumentSize) return std::unexpected("is larger than 64 MiB");
  if (text.empty()) return std::unexpected("is not JSON");  // nor may simdjson be given no address
  auto parser = std::make_unique<simdjson::dom::parser>();
  if (parser->allocate(text.size(), kMaxDepth) != simdjson::SUCCESS) {
    return std::unexpected("takes more memory than there is");
  }
  JsonValue root;
  const auto error = parser->parse(text.data(), text.size()).get(root);
  if (error == simdjson::DEPTH_ERROR) return std::unexpected("is nested too deeply");
  if (error != simdjson::SUCCESS) return std::unexpected("is not JSON");
  if (!root.is_object()) return std::unexpected("is no JSON object");
  return JsonDocument(std::move(parser), root);
}

std::optional<JsonValue> member(JsonValue object, std::string_view name) {
  JsonValue value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::string_view> textOf(const std::optional<JsonValue>& value) {
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

}  // namespace kiln::bundle
