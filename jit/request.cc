#include "jit/request.h"

#include <array>

namespace kiln {
namespace {

constexpr std::array kLanguages = {Language::cuda, Language::ptx};

}  // namespace

std::string_view name(Language language) {
  switch (language) {
    case Language::cuda:
      return "cuda";
    case Language::ptx:
      return "ptx";
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
  for (auto language : kLanguages) {
    if (text == name(language)) return language;
  }
  return std::nullopt;
}

std::optional<OutputKind> parseOutputKind(std::string_view text) {
  for (auto kind : {OutputKind::cubin, OutputKind::ptx, OutputKind::ltoir}) {
    if (text == name(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<Language> languageFromNumber(std::uint16_t number) {
  for (auto language : kLanguages) {
    if (number == static_cast<std::uint16_t>(language)) return language;
  }
  return std::nullopt;
}

std::optional<OutputKind> outputKindFromNumber(std::uint16_t number) {
  if (number < 1 || number > 3) return std::nullopt;
  return static_cast<OutputKind>(number);
}

}  // namespace kiln
