// kilnd's configuration: a TOML file, the command line's changes to it, and what holds without either.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/frontend.h"
#include "jit/lane.h"

namespace kiln {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// One socket, and who may connect to it. Its domain is that of every client that comes through it.
struct ListenerConfig {
  std::filesystem::path path;  // absolute, at most kMaxSocketPath bytes
  unsigned mode = 0600;
  std::string group = {};  // name or number; empty: the daemon's own
  std::string domain = "default";
  Lane lane = Lane::open;

  bool operator==(const ListenerConfig&) const = default;
};

struct Config {
  // Empty: sockets that systemd passes, else the default socket.
  std::vector<ListenerConfig> listen;
  std::filesystem::path store;     // empty: defaultStore()
  std::filesystem::path compiler;  // empty: findCompilerProgram()
  unsigned jobs = 0;               // compiles that run at once; 0: one for each processor
  unsigned queue = 4096;           // compiles that may wait
  std::chrono::seconds compileTimeout{120};
  std::chrono::seconds fileTimeout{30};  // of one question to a client about its files
  std::chrono::seconds shutdownTimeout{30};
  std::uint64_t memoryLimitMegabytes = 4096;  // of one compile
  std::uint64_t maxSourceMegabytes = 64;      // of one request's source and headers in memory
  LogLevel logLevel = LogLevel::info;
  ToolchainSearch toolchains;
};

// Room for the suffix of the name that a socket has before it gets its own: see listener.cc.
inline constexpr std::size_t kMaxSocketPath = 103;

// Each error is one line for a person: the file, the line, the key, and what would be right.
using ConfigErrors = std::vector<std::string>;

// `file` names the text in errors. Every error that there is, is reported, not only the first.
std::expected<Config, ConfigErrors> parseConfig(std::string_view text, const std::string& file);
std::expected<Config, ConfigErrors> readConfig(const std::filesystem::path& file);

// [a-z0-9_-]{1,64}
bool isDomainName(std::string_view name);
// Why no socket can be made there; empty if one can.
std::string socketPathProblem(const std::filesystem::path& path);

// The configuration as a file that parseConfig() reads back the same.
std::string describe(const Config& config);

}  // namespace kiln
