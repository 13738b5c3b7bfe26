#include "bundle/json_document.h"

#include "bundle/oci_layout.h"

namespace kiln::bundle {
namespace {

// A manifest has four levels and some ten values for each blob, the index of a bundle six levels and some ten
// values for each entry. Each value costs up to a hundred bytes of memory, where the text may have no more
// than two for it.
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValues = 4'000'000;

// Whether `text`, if it is JSON, keeps to kMaxDepth and kMaxValues. If it is not, it does up to where the
// parser stops.
bool isModest(std::string_view text) {
  std::size_t depth = 0;
  std::size_t values = 0;
  bool inString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inString) {
      if (text[i] == '"') inString = false;
      if (text[i] == '\\') ++i;  // what follows ends no string
      continue;
    }
    switch (text[i]) {
      case '"':
        inString = true;
        break;
      case '{':
      case '[':
        if (++depth > kMaxDepth) return false;
        [[fallthrough]];
      case ',':
        if (++values > kMaxValues) return false;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
    }
  }
  return true;
}

}  // namespace

std::expected<nlohmann::json, std::string_view> parseDocument(std::string_view text) {
  if (text.size() > kMaxDocumentSize) return std::unexpected("is larger than 64 MiB");
  if (!isModest(text)) return std::unexpected("is nested too deeply or holds too much");
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::unexpected("is not JSON");
  if (!json.is_object()) return std::unexpected("is no JSON object");
  return json;
}

}  // namespace kiln::bundle
