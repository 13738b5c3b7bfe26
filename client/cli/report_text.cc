#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "client/cli/printable_text.h"
#include "client/cli/report.h"

namespace kiln::cli {
namespace {

template <typename... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  std::array<char, 64> buffer{};
  auto length = std::snprintf(buffer.data(), buffer.size(), format, arguments...);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

struct ToText {
  std::string operator()(Absent) const { return "-"; }
  std::string operator()(const std::string& text) const { return onOneLine(text); }
  std::string operator()(const Lines& lines) const { return onLines(lines.text); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(Milliseconds time) const {
    if (time.value >= 1000) return formatted("%.2f s", time.value / 1000);
    return formatted(time.value >= 10 ? "%.1f ms" : "%.2f ms", time.value);
  }
  std::string operator()(ByteCount bytes) const {
    constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes.value < 1024) return std::to_string(bytes.value) + " B";
    double value = static_cast<double>(bytes.value) / 1024;
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
    return formatted("%.1f %s", value, kUnits[unit]);
  }
  std::string operator()(Moment moment) const {
    auto seconds = static_cast<std::time_t>(moment.secondsSince1970);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> buffer{};
    return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
  }
  std::string operator()(const List& texts) const {
    std::string line;
    for (const auto& text : texts) line += (line.empty() ? "" : " ") + onOneLine(text);
    return line.empty() ? "-" : line;
  }
};

std::string toText(const Cell& cell) { return std::visit(ToText{}, cell); }

bool isNumber(const Cell& cell) {
  return std::holds_alternative<std::uint64_t>(cell) || std::holds_alternative<Milliseconds>(cell) ||
         std::holds_alternative<ByteCount>(cell);
}

std::string label(std::string_view name) {
  if (name.ends_with("_ms")) name.remove_suffix(3);
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

struct Line {
  std::string label;
  std::string value;
};

bool hasSeveralLines(const Line& line) { return line.value.find('\n') != std::string::npos; }

std::string printLines(const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.label.size());
  std::string out;
  for (const auto& line : lines) {
    out += line.label + std::string(width - line.label.size(), ' ') + "  " + line.value + "\n";
  }
  return out;
}

// One column's texts, its heading first, padded to one width: numbers to the right.
std::vector<std::string> printColumn(const Report::Table& table, std::size_t column) {
  std::vector<std::string> texts = {label(table.columns[column].name)};
  bool numbers = true;
  for (const auto& row : table.rows) {
    texts.push_back(toText(row[column]));
    numbers = numbers && (isNumber(row[column]) || std::holds_alternative<Absent>(row[column]));
  }
  std::size_t width = 0;
  for (const auto& text : texts) width = std::max(width, text.size());
  for (auto& text : texts) text.insert(numbers ? 0 : text.size(), width - text.size(), ' ');
  return texts;
}

// The columns two blanks apart, no blanks at a line's end.
std::string printTable(const Report::Table& table) {
  std::vector<std::string> lines(table.rows.size() + 1);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    if (table.columns[column].shown == Shown::inJsonOnly) continue;
    auto texts = printColumn(table, column);
    for (std::size_t i = 0; i < lines.size(); ++i) lines[i] += (lines[i].empty() ? "" : "  ") + texts[i];
  }
  std::string out;
  for (auto& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string printText(const Report& report) {
  std::vector<Line> lines;
  std::vector<std::string> blocks;
  auto addLine = [&](Line line) {
    if (!hasSeveralLines(line)) return lines.push_back(std::move(line));
    if (!line.value.ends_with('\n')) line.value += "\n";
    blocks.push_back(line.label + "\n" + line.value);
  };
  for (const auto& item : report.items()) {
    if (item.shown == Shown::inJsonOnly) continue;
    if (const auto* cell = std::get_if<Cell>(&item.content)) {
      addLine({label(item.name), toText(*cell)});
    } else if (const auto* record = std::get_if<Report::Record>(&item.content)) {
      for (const auto& field : *record) {
        addLine({label(item.name) + " " + label(field.name), toText(field.value)});
      }
    } else if (const auto* table = std::get_if<Report::Table>(&item.content); !table->rows.empty()) {
      blocks.push_back(label(item.name) + "\n" + printTable(*table));
    }
  }

  std::string out = printLines(lines);
  for (const auto& block : blocks) {
    if (!out.empty()) out += "\n";
    out += block;
  }
  return out;
}

}  // namespace kiln::cli
