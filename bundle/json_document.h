// JSON from outside, before anything in it is believed.
#pragma once

#include <simdjson.h>

#include <expected>
#include <memory>
#include <optional>
#include <string_view>

namespace kiln::bundle {

using JsonValue = simdjson::dom::element;  // of a document, which outlives it

// An object that was read from text.
class JsonDocument {
 public:
  // Refused are a text beyond kMaxDocumentSize (oci_layout.h) and one that is nested more deeply than any
  // document here; reading takes some ten times the memory of the text. The error is the end of a sentence
  // about it: "is not JSON".
  static std::expected<JsonDocument, std::string_view> parse(std::string_view text);

  [[nodiscard]] JsonValue root() const { return root_; }

 private:
  JsonDocument(std::unique_ptr<simdjson::dom::parser> parser, JsonValue root)
      : parser_(std::move(parser)), root_(root) {}

  std::unique_ptr<simdjson::dom::parser> parser_;  // holds what was read
  JsonValue root_;
};

// The member of an object; nothing if it has none, or is no object.
std::optional<JsonValue> member(JsonValue object, std::string_view name);
// Nothing unless it is a text; as long as the document is there.
std::optional<std::string_view> textOf(const std::optional<JsonValue>& value);

}  // namespace kiln::bundle
