// What the tables of refused options are made of, and the reasons that several frontends give.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace kiln {

struct Refusal {
  std::string_view name;
  std::string_view reason;
};

// Why the option of this name is refused; empty if it is not.
template <std::size_t N>
std::string_view reasonFor(std::string_view name, const std::array<Refusal, N>& refusals) {
  const auto* found = std::find_if(refusals.begin(), refusals.end(),
                                   [&](const Refusal& refusal) { return refusal.name == name; });
  return found == refusals.end() ? std::string_view() : found->reason;
}

// The same for compilers that go by how an option begins: "-timex" is "-time" to them.
template <std::size_t N>
std::string_view reasonForPrefixOf(std::string_view option, const std::array<Refusal, N>& refusals) {
  const auto* found = std::find_if(refusals.begin(), refusals.end(),
                                   [&](const Refusal& refusal) { return option.starts_with(refusal.name); });
  return found == refusals.end() ? std::string_view() : found->reason;
}

inline constexpr std::string_view kStartsThreads =
    "it starts threads; kiln compiles each request on one, and many side by side";
inline constexpr std::string_view kReachesNvvm =
    "it hands an option to NVVM unseen, which may write files, start threads or time the compiler";
inline constexpr std::string_view kNamesTarget = "the target stands in the request's own field";

}  // namespace kiln
