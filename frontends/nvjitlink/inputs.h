// What a ptx request links: its source, and the further inputs behind it.
#pragma once

#include <string_view>
#include <vector>

#include "jit/request.h"

namespace kiln::nvjitlink {

struct Input {
  std::string_view name;
  std::string_view content;
};

// In order, the source first. The parts point into `request`.
std::vector<Input> inputsOf(const Request& request);

// Whether `content` is LTO IR, which begins as no text does. What is not is taken for PTX.
bool isLtoIr(std::string_view content);

}  // namespace kiln::nvjitlink
