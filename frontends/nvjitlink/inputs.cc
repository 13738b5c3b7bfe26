#include "frontends/nvjitlink/inputs.h"

#include <algorithm>

namespace kiln::nvjitlink {

std::vector<Input> inputsOf(const Request& request) {
  std::vector<Input> inputs = {{request.names.source, request.source}};
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const bool isNamed = i < request.names.inputs.size();
    inputs.push_back({isNamed ? request.names.inputs[i] : std::string_view(), request.inputs[i]});
  }
  return inputs;
}

bool isLtoIr(std::string_view content) {
  constexpr std::string_view kMagic = "\xed\x43\x4e\x7f";
  return content.starts_with(kMagic);
}

}  // namespace kiln::nvjitlink
