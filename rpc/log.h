// The daemon's log: one line an event, to standard error.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rpc/config.h"

namespace kiln {

// Thread-safe. Levels below the one given are dropped.
class Log {
 public:
  explicit Log(LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(const std::string& line);
  void info(const std::string& line);
  void warning(const std::string& line);
  void error(const std::string& line);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Text that clients had a hand in, fit for one line of a log: control characters escaped, long text cut
// short.
std::string onOneLine(std::string_view text);
// The same in quotes: what a client calls something.
std::string quotedForLog(std::string_view text);

// "12.3 ms"
std::string milliseconds(double value);

}  // namespace kiln
