// The two ways in which a socket serves: one that compiles what it does not have, and one that refuses to.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln {

enum class Lane : std::uint8_t {
  open,
  locked,  // serves what bundles have brought, and nothing else
};

inline constexpr std::array<std::string_view, 2> kLaneNames = {"open", "locked"};  // by value

constexpr std::string_view name(Lane lane) { return kLaneNames[static_cast<std::size_t>(lane)]; }

constexpr std::optional<Lane> parseLane(std::string_view text) {
  for (std::size_t i = 0; i < kLaneNames.size(); ++i) {
    if (kLaneNames[i] == text) return static_cast<Lane>(i);
  }
  return std::nullopt;
}

}  // namespace kiln
