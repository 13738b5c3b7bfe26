// What went wrong with a layout, and what to do. LayoutReader and LayoutWriter add what was tried, and on
// which one.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace kiln::bundle {

struct Problem {
  std::string text;
};
template <typename T>
using Attempt = std::expected<T, Problem>;

inline std::unexpected<Problem> problem(std::string text) {
  return std::unexpected(Problem{std::move(text)});
}

// The layout is not what was written once.
std::unexpected<Problem> damaged(std::string text);
// A system call failed on `what`; `error` is its errno.
std::unexpected<Problem> cannot(std::string_view attempt, std::string_view what, int error);

// Text from a layout as a message may show it: in quotes, short, without control characters.
std::string printable(std::string_view text);

}  // namespace kiln::bundle
