// How NVRTC reads its options.
//
// Each element of the option array is stripped of blanks at both ends. Long names begin with two dashes,
// short names with one, and neither may be abbreviated. A value follows after '=' or, for most options that
// have one, as the element behind, whatever that looks like: "-D" "-G" defines nothing and debugs nothing.
// -D, -U and -I also take it directly or after blanks in the same element: "-Idir", "-I dir", "-I=dir".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::nvrtc {

struct Option {
  std::string_view name;                  // the long name where there is one: "--include-path"
  std::optional<std::string_view> value;  // as NVRTC takes it
  std::string_view spelling;              // the name as written: "-I"
  std::size_t index = 0;                  // of its first element
  std::size_t elements = 1;               // 2 if the value is an element of its own
};

// `options` as NVRTC would read them. The parts point into `options`.
std::vector<Option> parseOptions(const std::vector<std::string>& options);

}  // namespace kiln::nvrtc
