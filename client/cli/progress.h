// How far a long command is, on standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace kiln::cli {

// Thread-safe. On a terminal a bar with the count and the time left, elsewhere a line now and then.
class Progress {
 public:
  enum class Style { bar, lines, none };
  // The bar where standard error is a terminal.
  static Style usualStyle();

  // `what` is counted: "kernels".
  Progress(std::string what, std::size_t all, Style style);
  // Takes the bar away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One more is done, called `name`.
  void advance(const std::string& name);
  // Some more are done.
  void advance(std::size_t count);
  // Says a line without breaking the bar.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  void advance(std::size_t count, const std::string& name);
  void draw();
  void erase() const;

  const std::string what_;
  const std::size_t all_;
  const Style style_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t told_ = 0;  // of `done_`, in lines
  std::string last_;
  Clock::time_point drawn_{};
};

// The bar, progressText() and the name of what was done last, in at most `columns` columns.
std::string progressLine(const std::string& bar, const std::string& text, const std::string& name,
                         std::size_t columns);
// "12 / 40 kernels, 0:31 left": what follows the bar. No time left is told before something is done.
std::string progressText(const std::string& what, std::size_t done, std::size_t all,
                         std::chrono::duration<double> elapsed);
// "#####....." of `width` characters.
std::string progressBar(std::size_t done, std::size_t all, std::size_t width);

}  // namespace kiln::cli
