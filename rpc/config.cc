#include "rpc/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "jit/toml/table_reader.h"

namespace kiln {
namespace {

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLogLevels{{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
}};

constexpr std::int64_t kMaxSeconds = 7 * 24 * 3600;
// The largest request whose message stays below what Cap'n Proto can hold in one segment.
constexpr std::int64_t kMaxSourceMegabytes = 1024;

void readSeconds(TomlReader& reader, std::string_view key, std::int64_t least, std::chrono::seconds& target) {
  auto seconds = target.count();
  if (reader.number(key, least, kMaxSeconds, seconds)) target = std::chrono::seconds(seconds);
}

void readLogLevel(TomlReader& reader, LogLevel& target) {
  std::string text;
  if (!reader.text("log_level", text)) return;
  for (auto [name, level] : kLogLevels) {
    if (name == text) {
      target = level;
      return;
    }
  }
  reader.error("log_level", "'log_level' must be debug, info, warning or error; here is '" + text + "'");
}

// "0660": TOML has octal integers, but a bare 660 would be read as decimal and mean something else.
std::optional<unsigned> parseMode(std::string_view text) {
  unsigned mode = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (text.size() < 3 || error != std::errc() || end != text.data() + text.size() || mode > 0777)
    return std::nullopt;
  return mode;
}

void readLane(TomlReader& reader, Lane& target) {
  std::string text;
  if (!reader.text("lane", text)) return;
  if (auto lane = parseLane(text)) {
    target = *lane;
  } else {
    reader.error("lane", "'listen.lane' must be open or locked; here is '" + text + "'");
  }
}

ListenerConfig readListener(const toml::table& table, const std::string& file, ConfigErrors& errors) {
  TomlReader reader(table, "listen", file, errors);
  ListenerConfig listener;
  if (reader.path("path", listener.path)) {
    if (auto problem = socketPathProblem(listener.path); !problem.empty()) reader.error("path", problem);
  } else if (!table.contains("path")) {
    reader.error("path", "[[listen]] needs 'path', where the socket is to be");
  }
  std::string mode;
  if (reader.text("mode", mode)) {
    if (auto parsed = parseMode(mode)) {
      listener.mode = *parsed;
    } else {
      reader.error("mode",
                   "'listen.mode' must be octal digits in a string, as \"0660\"; here is '" + mode + "'");
    }
  }
  reader.text("group", listener.group);
  if (reader.text("domain", listener.domain) && !isDomainName(listener.domain)) {
    reader.error("domain", "'listen.domain' must be 1 to 64 of a-z, 0-9, '_' and '-'; here is '" +
                               listener.domain + "'");
  }
  readLane(reader, listener.lane);
  reader.finish();
  return listener;
}

void readListeners(TomlReader& reader, const std::string& file, ConfigErrors& errors, Config& config) {
  std::set<std::filesystem::path> paths;
  for (const auto* table : reader.sections("listen")) {
    auto listener = readListener(*table, file, errors);
    if (!listener.path.empty() && !paths.insert(listener.path).second) {
      TomlReader(*table, "listen", file, errors)
          .error("path", "two [[listen]] have the path '" + listener.path.string() + "'; give each its own");
    }
    config.listen.push_back(std::move(listener));
  }
}

void readToolchains(const toml::table& table, const std::string& file, ConfigErrors& errors,
                    ToolchainSearch& search) {
  TomlReader reader(table, "toolchains", file, errors);
  reader.paths("paths", search.paths);
  reader.paths("python_prefixes", search.pythonPrefixes);
  reader.flag("system", search.system);
  reader.finish();
}

Config readAll(const toml::table& table, const std::string& file, ConfigErrors& errors) {
  Config config;
  TomlReader reader(table, "", file, errors);
  reader.path("store", config.store);
  reader.path("compiler", config.compiler);
  reader.number("jobs", 1, 4096, config.jobs);
  reader.number("queue", 0, 1'000'000, config.queue);
  readSeconds(reader, "compile_timeout_seconds", 1, config.compileTimeout);
  readSeconds(reader, "file_timeout_seconds", 1, config.fileTimeout);
  readSeconds(reader, "shutdown_timeout_seconds", 0, config.shutdownTimeout);
  reader.number("memory_limit_mb", 64, 1 << 24, config.memoryLimitMegabytes);
  reader.number("max_source_mb", 1, kMaxSourceMegabytes, config.maxSourceMegabytes);
  readLogLevel(reader, config.logLevel);
  readListeners(reader, file, errors, config);
  if (const auto* toolchains = reader.section("toolchains")) {
    readToolchains(*toolchains, file, errors, config.toolchains);
  }
  reader.finish();
  return config;
}

// A TOML string, always in double quotes.
std::string inQuotes(const std::string& text) {
  constexpr auto kFlags = toml::toml_formatter::default_flags & ~toml::format_flags::allow_literal_strings;
  const toml::value<std::string> value(text);
  std::ostringstream out;
  out << toml::toml_formatter(value, kFlags);
  return out.str();
}

std::string inQuotes(const std::vector<std::filesystem::path>& paths) {
  std::string list;
  for (const auto& path : paths) list += (list.empty() ? "" : ", ") + inQuotes(path.string());
  return "[" + list + "]";
}

std::string octal(unsigned mode) {
  std::ostringstream out;
  out << "0" << std::oct << mode;
  return out.str();
}

}  // namespace

std::expected<Config, ConfigErrors> parseConfig(std::string_view text, const std::string& file) {
  ConfigErrors errors;
  try {
    auto table = toml::parse(text);
    auto config = readAll(table, file, errors);
    if (errors.empty()) return config;
  } catch (const toml::parse_error& error) {
    errors.push_back(file + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
  return std::unexpected(std::move(errors));
}

std::expected<Config, ConfigErrors> readConfig(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || !text) {
    return std::unexpected(
        ConfigErrors{"cannot read the configuration '" + file.string() + "': " + std::strerror(errno)});
  }
  return parseConfig(text.view(), file.string());
}

bool isDomainName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string socketPathProblem(const std::filesystem::path& path) {
  if (!path.is_absolute() || !path.has_filename())
    return "the socket's path '" + path.string() + "' is not an absolute path of a file";
  if (path.native().size() > kMaxSocketPath) {
    return "the socket's path '" + path.string() + "' has " + std::to_string(path.native().size()) +
           " bytes; at most " + std::to_string(kMaxSocketPath) + " are possible";
  }
  return {};
}

std::string describe(const Config& config) {
  auto level = std::ranges::find(kLogLevels, config.logLevel, [](const auto& item) { return item.second; });
  std::ostringstream out;
  if (!config.store.empty()) out << "store = " << inQuotes(config.store.string()) << '\n';
  if (!config.compiler.empty()) out << "compiler = " << inQuotes(config.compiler.string()) << '\n';
  if (config.jobs != 0) out << "jobs = " << config.jobs << '\n';
  out << "queue = " << config.queue << "\ncompile_timeout_seconds = " << config.compileTimeout.count()
      << "\nfile_timeout_seconds = " << config.fileTimeout.count()
      << "\nshutdown_timeout_seconds = " << config.shutdownTimeout.count()
      << "\nmemory_limit_mb = " << config.memoryLimitMegabytes
      << "\nmax_source_mb = " << config.maxSourceMegabytes << "\nlog_level = \"" << level->first << "\"\n";
  for (const auto& listener : config.listen) {
    out << "\n[[listen]]\npath = " << inQuotes(listener.path.string()) << "\nmode = \""
        << octal(listener.mode) << "\"\n";
    if (!listener.group.empty()) out << "group = " << inQuotes(listener.group) << '\n';
    out << "domain = \"" << listener.domain << "\"\nlane = \"" << name(listener.lane) << "\"\n";
  }
  out << "\n[toolchains]\npaths = " << inQuotes(config.toolchains.paths)
      << "\npython_prefixes = " << inQuotes(config.toolchains.pythonPrefixes)
      << "\nsystem = " << (config.toolchains.system ? "true" : "false") << '\n';
  return out.str();
}

}  // namespace kiln
