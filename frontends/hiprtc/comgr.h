// AMD's code object manager, the library that compiles for hiprtc, asked what it compiles for. hiprtc does
// not ask it, and frees memory that is not its own where it is given another processor.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace kiln::hiprtc {

bool isComgr(const std::filesystem::path& library);

// Every processor that `comgr`, a handle of dlopen(), knows, in its order, and behind it those of its forms
// with "sramecc" or "xnack" on or off that it takes: "gfx90a", ..., "gfx90a:sramecc+:xnack-". Else what is
// wrong.
std::expected<std::vector<std::string>, std::string> targetsOf(void* comgr);

}  // namespace kiln::hiprtc
