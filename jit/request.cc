#include "jit/request.h"

namespace kiln {

std::string_view name(Language language) {
  switch (language) {
    case Language::cuda:
      return "cuda";
  }
  return "unknown";
}

std::string_view name(OutputKind kind) {
  switch (kind) {
    case OutputKind::cubin:
      return "cubin";
    case OutputKind::ptx:
      return "ptx";
    case OutputKind::ltoir:
      return "ltoir";
  }
  return "unknown";
}

std::optional<Language> parseLanguage(std::string_view text) {
  if (text == "cuda") return Language::cuda;
  return std::nullopt;
}

std::optional<OutputKind> parseOutputKind(std::string_view text) {
  for (auto kind : {OutputKind::cubin, OutputKind::ptx, OutputKind::ltoir}) {
    if (text == name(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<Language> languageFromNumber(std::uint16_t number) {
  if (number != 1) return std::nullopt;
  return static_cast<Language>(number);
}

std::optional<OutputKind> outputKindFromNumber(std::uint16_t number) {
  if (number < 1 || number > 3) return std::nullopt;
  return static_cast<OutputKind>(number);
}

}  // namespace kiln
