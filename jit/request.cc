#include "jit/request.h"

#include <array>

namespace kiln {
namespace {

constexpr std::array kLanguages = {Language::cuda, Language::hip, Language::ptx, Language::llvmIr,
                                   Language::mlir};
constexpr std::array kOutputKinds = {OutputKind::cubin, OutputKind::ptx,     OutputKind::ltoir,
                                     OutputKind::hsaco, OutputKind::bitcode, OutputKind::sharedObject};

template <typename Values>
std::string namesOf(const Values& values) {
  std::string names;
  for (auto value : values) names.append(names.empty() ? "" : ", ").append(name(value));
  return names;
}

}  // namespace

std::string_view name(Language language) {
  switch (language) {
    case Language::cuda:
      return "cuda";
    case Language::hip:
      return "hip";
    case Language::ptx:
      return "ptx";
    case Language::llvmIr:
      return "llvm-ir";
    case Language::mlir:
      return "mlir";
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
    case OutputKind::hsaco:
      return "hsaco";
    case OutputKind::bitcode:
      return "bitcode";
    case OutputKind::sharedObject:
      return "shared-object";
  }
  return "unknown";
}

std::string languageNames() { return namesOf(kLanguages); }

std::string outputKindNames() { return namesOf(kOutputKinds); }

std::optional<Language> parseLanguage(std::string_view text) {
  for (auto language : kLanguages) {
    if (text == name(language)) return language;
  }
  return std::nullopt;
}

std::optional<OutputKind> parseOutputKind(std::string_view text) {
  for (auto kind : kOutputKinds) {
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
  for (auto kind : kOutputKinds) {
    if (number == static_cast<std::uint16_t>(kind)) return kind;
  }
  return std::nullopt;
}

OutputKind usualOutput(const Target& target) {
  switch (target.kind) {
    case Target::Kind::nvidiaReal:
      break;
    case Target::Kind::nvidiaVirtual:
      return OutputKind::ptx;
    case Target::Kind::amd:
      return OutputKind::hsaco;
    case Target::Kind::host:
      return OutputKind::sharedObject;
  }
  return OutputKind::cubin;
}

}  // namespace kiln
