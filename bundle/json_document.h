// JSON from outside, before anything in it is believed.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <string_view>

namespace kiln::bundle {

// The object that `text` is. Refused are a text beyond kMaxDocumentSize (oci_layout.h) and one whose values
// would take many times the memory of their text. The error is the end of a sentence about it: "is not JSON".
std::expected<nlohmann::json, std::string_view> parseDocument(std::string_view text);

}  // namespace kiln::bundle
