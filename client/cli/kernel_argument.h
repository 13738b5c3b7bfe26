// An argument of a kernel as the command line has it: "f32=2.5", a value; "f32[1024]", a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kiln::cli {

enum class ElementType : std::uint8_t { i8, i16, i32, i64, f32, f64 };

std::string_view name(ElementType type);
std::size_t sizeOf(ElementType type);
bool isFloat(ElementType type);

struct KernelArgument {
  ElementType type;
  // A value, or the lengths of a buffer's dimensions, of which there is at least one.
  std::variant<std::int64_t, double, std::vector<std::uint64_t>> content;

  [[nodiscard]] bool isBuffer() const { return content.index() == 2; }
  [[nodiscard]] std::uint64_t elements() const;  // of a buffer

  bool operator==(const KernelArgument&) const = default;
};

// Why not, as a sentence about `text`.
std::expected<KernelArgument, std::string> parseKernelArgument(std::string_view text);

// As it was given.
std::string describe(const KernelArgument& argument);

}  // namespace kiln::cli
