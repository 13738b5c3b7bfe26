#include "frontends/nvrtc/option_syntax.h"

#include <algorithm>
#include <array>

namespace kiln::nvrtc {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

enum class Value {
  none,      // or after '=' only
  next,      // after '=', or the next element
  attached,  // or directly behind the name
};

struct Spelling {
  std::string_view shortName, longName;
  Value value;
};

// The options whose short name or value kiln must know to read the others right.
constexpr std::array kSpellings = {
    Spelling{"-I", "--include-path", Value::attached},
    Spelling{"-D", "--define-macro", Value::attached},
    Spelling{"-U", "--undefine-macro", Value::attached},
    Spelling{"-include", "--pre-include", Value::next},
    Spelling{"-arch", "--gpu-architecture", Value::next},
    Spelling{"-Xptxas", "--ptxas-options", Value::next},
    Spelling{"-maxrregcount", "--maxrregcount", Value::next},
    Spelling{"-device-stack-protector", "--device-stack-protector", Value::next},
    Spelling{"-Ofc", "--Ofast-compile", Value::next},
    Spelling{"-dopt", "--dopt", Value::next},
    Spelling{"-w", "--disable-warnings", Value::none},
    Spelling{"-Xcudafe", "", Value::next},
    Spelling{"-Xnvvm", "", Value::next},
    Spelling{"-diag-error", "--diag-error", Value::next},
    Spelling{"-diag-suppress", "--diag-suppress", Value::next},
    Spelling{"-diag-warn", "--diag-warn", Value::next},
    Spelling{"-rdc", "--relocatable-device-code", Value::next},
    Spelling{"-split-compile", "--split-compile", Value::next},
    Spelling{"-dc", "--device-c", Value::none},
    Spelling{"-ewp", "--extensible-whole-program", Value::none},
    Spelling{"-G", "--device-debug", Value::none},
    Spelling{"-lineinfo", "--generate-line-info", Value::none},
    Spelling{"-dlto", "--dlink-time-opt", Value::none},
    Spelling{"-gen-opt-lto", "--gen-opt-lto", Value::none},
    Spelling{"-optix-ir", "--optix-ir", Value::none},
    Spelling{"-no-cache", "--no-cache", Value::none},
    Spelling{"-enable-cache-trace", "--enable-cache-trace", Value::none},
    Spelling{"-time", "--time", Value::none},
    Spelling{"-fdevice-time-trace", "--fdevice-time-trace", Value::none},
    Spelling{"-pch", "--pch", Value::none},
    Spelling{"-create-pch", "--create-pch", Value::none},
    Spelling{"-use-pch", "--use-pch", Value::none},
    Spelling{"-pch-dir", "--pch-dir", Value::none},
    Spelling{"-pch-verbose", "--pch-verbose", Value::next},
    Spelling{"-pch-messages", "--pch-messages", Value::next},
    Spelling{"-instantiate-templates-in-pch", "--instantiate-templates-in-pch", Value::next},
};

std::string_view strip(std::string_view text) {
  auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

const Spelling* spellingNamed(std::string_view name) {
  auto found = std::find_if(kSpellings.begin(), kSpellings.end(), [&](const Spelling& spelling) {
    return name == spelling.shortName || name == spelling.longName;
  });
  return name.empty() || found == kSpellings.end() ? nullptr : &*found;
}

// "-Idir" and "-I dir".
const Spelling* spellingAttachedIn(std::string_view element) {
  auto found = std::find_if(kSpellings.begin(), kSpellings.end(), [&](const Spelling& spelling) {
    return spelling.value == Value::attached && element.starts_with(spelling.shortName);
  });
  return found == kSpellings.end() ? nullptr : &*found;
}

Option parseElement(std::string_view element, const Spelling*& spelling) {
  spelling = spellingAttachedIn(element);
  if (spelling != nullptr && element.size() > spelling->shortName.size() &&
      element[spelling->shortName.size()] != '=') {
    return {spelling->longName, strip(element.substr(spelling->shortName.size())), spelling->shortName};
  }
  auto equals = element.find('=');
  Option option{element.substr(0, equals), std::nullopt, element.substr(0, equals)};
  if (equals != std::string_view::npos) option.value = element.substr(equals + 1);
  spelling = spellingNamed(option.name);
  if (spelling != nullptr && !spelling->longName.empty()) option.name = spelling->longName;
  return option;
}

}  // namespace

std::vector<Option> parseOptions(const std::vector<std::string>& options) {
  std::vector<Option> parsed;
  for (std::size_t i = 0; i < options.size(); i += parsed.back().elements) {
    const Spelling* spelling = nullptr;
    auto option = parseElement(strip(options[i]), spelling);
    option.index = i;
    bool takesNext = spelling != nullptr && spelling->value != Value::none;
    if (takesNext && !option.value && i + 1 < options.size()) {
      option.value = strip(options[i + 1]);
      option.elements = 2;
    }
    parsed.push_back(option);
  }
  return parsed;
}

}  // namespace kiln::nvrtc
