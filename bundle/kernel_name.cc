#include "bundle/kernel_name.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace kiln::bundle {
namespace {

// Where the parameters begin: at the first '(' outside of all brackets that opens no name.
std::size_t parametersOf(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("->")) {
      ++i;
    } else if (text[i] == '<' || text[i] == '[' || text[i] == '{' || text[i] == '(') {
      if (depth == 0 && text[i] == '(' && !text.substr(i).starts_with("(anonymous namespace)")) return i;
      ++depth;
    } else if (text[i] == '>' || text[i] == ']' || text[i] == '}' || text[i] == ')') {
      --depth;
    }
  }
  return text.size();
}

}  // namespace

std::string readableName(const std::string& symbol) {
  // Anything is a mangled type to the function below: "h" is unsigned char.
  if (!symbol.starts_with("_Z")) return symbol;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> whole(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  if (whole == nullptr) return symbol;
  std::string_view text = whole.get();
  constexpr std::string_view kVoid = "void ";
  if (text.starts_with(kVoid)) text.remove_prefix(kVoid.size());
  return std::string(text.substr(0, parametersOf(text)));
}

}  // namespace kiln::bundle
