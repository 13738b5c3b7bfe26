#include "rpc/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>

namespace kiln {
namespace {

constexpr std::size_t kMaxText = 400;

spdlog::level::level_enum toSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

class Log::Impl {
 public:
  explicit Impl(LogLevel level) : logger("kilnd", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_level(toSpdlog(level));
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger.flush_on(spdlog::level::debug);
  }

  spdlog::logger logger;
};

Log::Log(LogLevel level) : impl_(std::make_unique<Impl>(level)) {}
Log::~Log() = default;

void Log::debug(const std::string& line) { impl_->logger.debug(spdlog::string_view_t(line)); }
void Log::info(const std::string& line) { impl_->logger.info(spdlog::string_view_t(line)); }
void Log::warning(const std::string& line) { impl_->logger.warn(spdlog::string_view_t(line)); }
void Log::error(const std::string& line) { impl_->logger.error(spdlog::string_view_t(line)); }

std::string onOneLine(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, kMaxText)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result += c;
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      result += escaped;
    }
  }
  return result + (text.size() > kMaxText ? "..." : "");
}

std::string quotedForLog(std::string_view text) { return "'" + onOneLine(text) + "'"; }

std::string milliseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", value);
  return text;
}

}  // namespace kiln
