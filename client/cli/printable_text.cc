#include "client/cli/printable_text.h"

#include "bundle/utf8.h"

namespace kiln::cli {
namespace {

constexpr char32_t kInvalid = 0xffffffff;
constexpr char32_t kFirstWide = 0x1100;  // Hangul; no narrower character behind it is told apart

// The first of `text`, which is not empty; a byte that begins none is one by itself.
bundle::Character characterAt(std::string_view text) {
  return bundle::characterAt(text).value_or(bundle::Character{kInvalid, 1});
}

// Of Unicode too: terminals take U+009B for ESC [; U+202E and its like reorder what stands behind them.
bool isControl(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == kInvalid;
}

std::string escaped(std::string_view bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\r") return "\\r";
  if (bytes == "\t") return "\\t";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
  }
  return result;
}

std::string withEscapes(std::string_view text, std::string_view kept) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = characterAt(text.substr(at));
    const auto bytes = text.substr(at, character.bytes);
    if (isControl(character.code) && !kept.contains(bytes)) {
      result += escaped(bytes);
    } else {
      result += bytes;
    }
    at += character.bytes;
  }
  return result;
}

}  // namespace

std::string onOneLine(std::string_view text) { return withEscapes(text, ""); }

std::string onLines(std::string_view text) { return withEscapes(text, "\n\t"); }

std::string cutTo(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t taken = 0; at < text.size();) {
    const auto character = characterAt(text.substr(at));
    taken += character.code != kInvalid && character.code >= kFirstWide ? 2 : 1;
    if (taken > columns) break;
    at += character.bytes;
  }
  return std::string(text.substr(0, at));
}

}  // namespace kiln::cli
