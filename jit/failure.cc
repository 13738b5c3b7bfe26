#include "jit/failure.h"

namespace kiln {
namespace {

constexpr std::size_t kNone = kFailures.size();

// Where in the table a number stands; kNone if it is no kind's.
constexpr std::size_t rowOf(std::uint16_t number) {
  std::size_t row = 0;
  while (row < kFailures.size() && static_cast<std::uint16_t>(kFailures[row].kind) != number) ++row;
  return row;
}

constexpr bool hasEveryNumberOnce() {
  for (std::uint16_t number = 1; number <= kFailures.size(); ++number) {
    if (rowOf(number) == kNone) return false;
  }
  return true;
}
static_assert(hasEveryNumberOnce(), "kFailures has one row for each kind, and kinds are numbered from 1");

const FailureTraits& traitsOf(FailureKind kind) {
  auto row = rowOf(static_cast<std::uint16_t>(kind));
  return kFailures[row != kNone ? row : rowOf(static_cast<std::uint16_t>(FailureKind::internal))];
}

}  // namespace

std::string_view name(FailureKind kind) { return traitsOf(kind).name; }

std::optional<FailureKind> failureKindFromNumber(std::uint16_t number) {
  auto row = rowOf(number);
  if (row == kNone) return std::nullopt;
  return kFailures[row].kind;
}

std::string_view describe(Remembered remembered) {
  return remembered == Remembered::no ? "no" : "with its log, as long as the store keeps its entry";
}

bool isDeterministic(FailureKind kind) { return traitsOf(kind).remembered != Remembered::no; }

}  // namespace kiln
