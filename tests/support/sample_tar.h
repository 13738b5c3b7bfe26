// Tars put together by hand, so that they can be as no tool writes them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::test {

struct TarMember {
  std::string name;
  std::string content = {};
  char type = '0';
  std::string link = {};
  std::optional<std::uint64_t> claimedSize = {};
};

inline constexpr std::size_t kTarRecord = 512;
inline const std::string kTarEnd(2 * kTarRecord, '\0');

// Puts the right checksum into the header at the start of `header`.
inline void setTarChecksum(char* header) {
  std::memset(header + 148, ' ', 8);
  unsigned sum = 0;
  for (std::size_t i = 0; i < kTarRecord; ++i) sum += static_cast<unsigned char>(header[i]);
  std::array<char, 8> digits;
  std::snprintf(digits.data(), digits.size(), "%06o", sum);
  std::memcpy(header + 148, digits.data(), 7);
}

inline std::string tarText(const TarMember& member) {
  std::string header(kTarRecord, '\0');
  auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, std::string_view(member.name).substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  auto size = member.claimedSize.value_or(member.content.size());
  if (size >> 33 == 0) {
    std::array<char, 12> digits;
    std::snprintf(digits.data(), digits.size(), "%011llo", static_cast<unsigned long long>(size));
    put(124, digits.data());
  } else {  // base 256
    header[124] = static_cast<char>(0x80);
    for (int i = 0; i < 8; ++i) header[128 + i] = static_cast<char>(size >> (56 - 8 * i));
  }
  put(136, "00000000000");
  header[156] = member.type;
  put(157, member.link);
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  setTarChecksum(header.data());
  return header + member.content +
         std::string((kTarRecord - member.content.size() % kTarRecord) % kTarRecord, '\0');
}

inline std::string tarText(const std::map<std::string, std::string>& files) {
  std::string tar;
  for (const auto& [name, content] : files) tar += tarText(TarMember{.name = name, .content = content});
  return tar;
}

}  // namespace kiln::test
