#include <cstdlib>

#include "client/client.h"

namespace kiln::client {

std::string defaultSocket() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return std::string(runtime) + "/kiln/kilnd.sock";
  return "/run/kiln/kilnd.sock";
}

}  // namespace kiln::client
