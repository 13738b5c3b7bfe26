#include "bundle/problem.h"

#include <cerrno>
#include <cstring>

namespace kiln::bundle {
namespace {

constexpr std::size_t kMaxQuoted = 120;

std::string_view advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there or give another path";
    case ENOENT:
      return "check the path";
    default:
      return "correct that or give another path";
  }
}

}  // namespace

std::unexpected<Problem> damaged(std::string text) {
  return problem(std::move(text) +
                 "; it is damaged or was made by something else, so copy or export it anew");
}

std::unexpected<Problem> cannot(std::string_view attempt, std::string_view what, int error) {
  std::string text = "cannot ";
  text.append(attempt).append(" ").append(what).append(": ").append(std::strerror(error));
  return problem(text.append("; ").append(advice(error)));
}

std::string printable(std::string_view text) {
  std::string result = "'";
  for (char c : text.substr(0, kMaxQuoted)) result += c >= ' ' && c <= '~' ? c : '?';
  return result + (text.size() > kMaxQuoted ? "...'" : "'");
}

}  // namespace kiln::bundle
