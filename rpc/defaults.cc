#include "rpc/defaults.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace kiln {
namespace {

namespace fs = std::filesystem;

// The variable's directory; empty unless it names one.
fs::path directoryFrom(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? fs::path(value) : fs::path();
}

std::expected<fs::path, std::string> defaultStore() {
  if (auto state = directoryFrom("XDG_STATE_HOME"); state.is_absolute()) return state / "kiln";
  if (geteuid() == 0) return fs::path("/var/lib/kiln");
  if (auto home = directoryFrom("HOME"); home.is_absolute()) return home / ".local/state/kiln";
  return std::unexpected<std::string>(
      "no place for the store: neither XDG_STATE_HOME nor HOME is set; say --store DIR");
}

std::expected<fs::path, std::string> findCompilerProgram() {
  std::error_code error;
  auto self = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    return std::unexpected("cannot tell where kilnd's program is: " + error.message() +
                           "; set `compiler` in the configuration");
  }
  auto beside = self.parent_path() / "kiln-compiler";
  auto installed = self.parent_path().parent_path() / "libexec" / "kiln-compiler";
  for (const auto& candidate : {beside, installed}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::unexpected("the program kiln-compiler is neither " + beside.string() + " nor " +
                         installed.string() + "; set `compiler` in the configuration");
}

}  // namespace

fs::path defaultSocket() {
  auto runtime = directoryFrom("XDG_RUNTIME_DIR");
  return (runtime.empty() ? fs::path("/run") : runtime) / "kiln" / "kilnd.sock";
}

std::expected<void, std::string> fillDefaults(Config& config) {
  if (config.jobs == 0) config.jobs = std::max(1U, std::thread::hardware_concurrency());
  if (config.store.empty()) {
    auto store = defaultStore();
    if (!store) return std::unexpected(std::move(store.error()));
    config.store = std::move(*store);
  }
  if (config.compiler.empty()) {
    auto compiler = findCompilerProgram();
    if (!compiler) return std::unexpected(std::move(compiler.error()));
    config.compiler = std::move(*compiler);
  } else if (access(config.compiler.c_str(), X_OK) != 0) {
    return std::unexpected("`compiler` is " + config.compiler.string() +
                           ", which is no program that can be run");
  }
  config.toolchains.programs = config.compiler.parent_path();
  return {};
}

}  // namespace kiln
