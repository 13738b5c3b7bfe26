#include "client/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "client/cli/printable_text.h"

namespace kiln::cli {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kLines = 20;  // how many lines stand in for a bar
constexpr std::chrono::milliseconds kPause{100};

// Of the terminal, without the last one: some terminals wrap once that is written.
std::size_t columnsToFill() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool isKnown = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (isKnown ? size.ws_col : kUsual) - 1;
}

}  // namespace

std::string progressBar(std::size_t done, std::size_t all, std::size_t width) {
  const auto filled = all == 0 ? width : done * width / all;
  return std::string(filled, '#') + std::string(width - filled, '.');
}

std::string progressText(const std::string& what, std::size_t done, std::size_t all,
                         std::chrono::duration<double> elapsed) {
  std::ostringstream text;
  text << done << " / " << all << " " << what;
  if (done > 0 && done < all) {
    const auto left = static_cast<long>(
        std::ceil(elapsed.count() / static_cast<double>(done) * static_cast<double>(all - done)));
    text << ", " << left / 60 << ":" << std::setfill('0') << std::setw(2) << left % 60 << " left";
  }
  return text.str();
}

std::string progressLine(const std::string& bar, const std::string& text, const std::string& name,
                         std::size_t columns) {
  const auto line = "[" + bar + "] " + text + (name.empty() ? "" : "  " + onOneLine(name));
  auto cut = cutTo(line, columns);
  if (cut == line || columns < 3) return cut;
  return cutTo(line, columns - 3) + "...";
}

Progress::Style Progress::usualStyle() { return ::isatty(STDERR_FILENO) == 1 ? Style::bar : Style::lines; }

Progress::Progress(std::string what, std::size_t all, Style style)
    : what_(std::move(what)), all_(all), style_(style) {
  if (style_ == Style::bar) draw();
}

Progress::~Progress() {
  if (style_ == Style::bar) erase();
}

void Progress::advance(const std::string& name) { advance(1, name); }

void Progress::advance(std::size_t count) { advance(count, {}); }

void Progress::advance(std::size_t count, const std::string& name) {
  const std::lock_guard lock(mutex_);
  done_ += count;
  last_ = name;
  if (style_ == Style::bar && (Clock::now() - drawn_ >= kPause || done_ == all_)) draw();
  if (style_ == Style::lines && (done_ == all_ || (done_ - told_) * kLines >= all_)) {
    told_ = done_;
    std::cerr << progressText(what_, done_, all_, Clock::now() - start_) << '\n';
  }
}

void Progress::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (style_ == Style::bar) erase();
  if (style_ != Style::none) std::cerr << line << '\n';
  if (style_ == Style::bar) draw();
}

void Progress::draw() {
  drawn_ = Clock::now();
  erase();
  std::cerr << progressLine(progressBar(done_, all_, kBarWidth),
                            progressText(what_, done_, all_, drawn_ - start_), last_, columnsToFill())
            << std::flush;
}

void Progress::erase() const { std::cerr << "\r\x1b[K" << std::flush; }

}  // namespace kiln::cli
