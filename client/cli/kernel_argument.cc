#include "client/cli/kernel_argument.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace kiln::cli {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;  // of one buffer

struct Type {
  ElementType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array kTypes = {Type{ElementType::i8, "i8", 1},   Type{ElementType::i16, "i16", 2},
                               Type{ElementType::i32, "i32", 4}, Type{ElementType::i64, "i64", 8},
                               Type{ElementType::f32, "f32", 4}, Type{ElementType::f64, "f64", 8}};

const Type& traitsOf(ElementType type) { return kTypes[static_cast<std::size_t>(type)]; }

std::unexpected<std::string> wrong(std::string_view text, const std::string& what) {
  return std::unexpected("'" + std::string(text) + "' " + what);
}

template <typename Number>
std::optional<Number> parseWhole(std::string_view text) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

bool fits(std::int64_t value, ElementType type) {
  const auto bits = 8 * sizeOf(type);
  if (bits == 64) return true;
  const auto most = std::int64_t{1} << (bits - 1);
  return value >= -most && value < 2 * most;  // as a signed or an unsigned number
}

// "1024]", "32x64]".
std::optional<std::vector<std::uint64_t>> parseLengths(std::string_view text) {
  if (!text.ends_with(']')) return std::nullopt;
  text.remove_suffix(1);
  std::vector<std::uint64_t> lengths;
  for (;;) {
    const auto end = text.find('x');
    const auto length = parseWhole<std::uint64_t>(text.substr(0, end));
    if (!length || *length == 0) return std::nullopt;
    lengths.push_back(*length);
    if (end == std::string_view::npos) return lengths;
    text.remove_prefix(end + 1);
  }
}

std::expected<KernelArgument, std::string> parseBuffer(std::string_view text, ElementType type,
                                                       std::string_view lengths) {
  auto parsed = parseLengths(lengths);
  if (!parsed) return wrong(text, "has no lengths as a buffer has them, such as f32[1024] or f32[32x64]");
  std::uint64_t bytes = sizeOf(type);
  for (auto length : *parsed) {
    if (length > kMostBytes / bytes) return wrong(text, "is larger than the 4 GiB that kiln run generates");
    bytes *= length;
  }
  return KernelArgument{type, std::move(*parsed)};
}

std::expected<KernelArgument, std::string> parseValue(std::string_view text, ElementType type,
                                                      std::string_view value) {
  if (isFloat(type)) {
    if (const auto number = parseWhole<double>(value)) return KernelArgument{type, *number};
    return wrong(text, "has no number behind its '='");
  }
  const auto number = parseWhole<std::int64_t>(value);
  if (!number) return wrong(text, "has no whole number behind its '='");
  if (!fits(*number, type)) return wrong(text, "is a number that its type does not hold");
  return KernelArgument{type, *number};
}

}  // namespace

std::string_view name(ElementType type) { return traitsOf(type).name; }
std::size_t sizeOf(ElementType type) { return traitsOf(type).size; }
bool isFloat(ElementType type) { return type == ElementType::f32 || type == ElementType::f64; }

std::uint64_t KernelArgument::elements() const {
  std::uint64_t count = 1;
  for (auto length : std::get<std::vector<std::uint64_t>>(content)) count *= length;
  return count;
}

std::expected<KernelArgument, std::string> parseKernelArgument(std::string_view text) {
  const auto end = text.find_first_of("=[");
  if (end != std::string_view::npos) {
    for (const auto& [type, name, size] : kTypes) {
      if (text.substr(0, end) != name) continue;
      const auto rest = text.substr(end + 1);
      return text[end] == '=' ? parseValue(text, type, rest) : parseBuffer(text, type, rest);
    }
  }
  return wrong(text,
               "is no argument; give a value such as f32=2.5 or i64=1024, or a buffer such as f32[1024]; "
               "types are i8, i16, i32, i64, f32 and f64");
}

std::string describe(const KernelArgument& argument) {
  std::string text(name(argument.type));
  if (const auto* whole = std::get_if<std::int64_t>(&argument.content))
    return text + "=" + std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&argument.content)) {
    std::array<char, 32> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), *real);
    return text + "=" + std::string(digits.data(), written.ptr);
  }
  text += "[";
  for (auto length : std::get<std::vector<std::uint64_t>>(argument.content)) {
    text += (text.back() == '[' ? "" : "x") + std::to_string(length);
  }
  return text + "]";
}

}  // namespace kiln::cli
