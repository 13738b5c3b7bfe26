// Amounts as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kiln {

std::string describeBytes(std::uint64_t bytes);                    // "4 GiB", "1.5 GiB", "300 MiB"
std::string describeDuration(std::chrono::milliseconds duration);  // "120 s", "1.5 s", "250 ms"

}  // namespace kiln
