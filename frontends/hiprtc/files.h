// The files that comgr makes and looks for.
#pragma once

#include <string_view>

#include "frontends/file_habits.h"

namespace kiln::hiprtc {

// With TMPDIR unset, as kiln-compiler has it.
inline constexpr std::string_view kScratchPrefix = "/tmp/comgr-";

const FileHabits& fileHabits();

}  // namespace kiln::hiprtc
