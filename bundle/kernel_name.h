// What people call a kernel.
#pragma once

#include <string>

namespace kiln::bundle {

// Of a symbol: "_Z5scaleIfEvPf" is "scale<float>", "h" is "h".
std::string readableName(const std::string& symbol);

}  // namespace kiln::bundle
