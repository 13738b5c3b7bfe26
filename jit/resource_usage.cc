#include "jit/resource_usage.h"

namespace kiln {
namespace {

constexpr bool isNumberedFromOne() {
  for (std::size_t row = 0; row < kResources.size(); ++row) {
    if (static_cast<std::size_t>(kResources[row].resource) != row + 1) return false;
  }
  return true;
}
static_assert(isNumberedFromOne(), "kResources has a row for each resource, in order of number");

}  // namespace

std::string_view name(Resource resource) { return kResources[static_cast<std::size_t>(resource) - 1].name; }

std::optional<Resource> resourceFromNumber(std::uint16_t number) {
  if (number < 1 || number > kResources.size()) return std::nullopt;
  return static_cast<Resource>(number);
}

}  // namespace kiln
