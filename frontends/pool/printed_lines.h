// What compiler processes print to standard output and standard error.
#pragma once

#include <kj/async-unix.h>
#include <kj/io.h>

#include <functional>
#include <string>
#include <string_view>

namespace kiln {

// A pipe for processes to print to. Never keeps them waiting for long: it is read whenever the event loop
// runs.
class PrintedLines {
 public:
  // A line without its end; a longer one than 1 KiB is handed over in parts.
  using OnLine = std::function<void(std::string_view line)>;

  // Throws where there are no descriptors to be had.
  PrintedLines(kj::UnixEventPort& port, OnLine onLine);
  // Hands over what is there still.
  ~PrintedLines() noexcept;
  KJ_DISALLOW_COPY(PrintedLines);

  // What the processes print to.
  [[nodiscard]] int writeEnd() const { return pipe_.writeEnd; }

 private:
  struct Pipe {
    kj::AutoCloseFd readEnd, writeEnd;
  };
  static Pipe makePipe();

  kj::Promise<void> read();
  // Whether that is all that is there.
  bool readSome();
  void handOver(std::string_view text);

  OnLine onLine_;
  Pipe pipe_;
  kj::UnixEventPort::FdObserver observer_;
  std::string begun_;  // the line that has no end yet
  kj::Promise<void> reading_ = nullptr;
};

}  // namespace kiln
