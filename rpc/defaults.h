// What kilnd uses where nothing is configured.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "rpc/config.h"

namespace kiln {

// $XDG_RUNTIME_DIR/kiln/kilnd.sock, or /run/kiln/kilnd.sock where that is not set: libkiln's default too.
std::filesystem::path defaultSocket();

// Fills in what the configuration leaves open, but for `listen`: store ($XDG_STATE_HOME/kiln,
// ~/.local/state/kiln, /var/lib/kiln for root), jobs, and the kiln-compiler beside kilnd's own program or in
// ../libexec of it. The error is a message for a person.
std::expected<void, std::string> fillDefaults(Config& config);

}  // namespace kiln
