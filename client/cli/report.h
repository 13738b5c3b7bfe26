// A report: what a command has to say, built once and printed for people or as JSON.
//
// A report is a list of named items in the order they are read: single values, records of values, tables.
// JSON has every item under its name; text leaves out those that only programs want and shows names without
// underscores and units ("compile_ms" as "compile"), since the values carry their unit there.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace kiln::cli {

// Values whose text is more than their number. In JSON each is that number.
struct Milliseconds {
  double value;  // "12.3 ms", "1.25 s"
};
struct ByteCount {
  std::uint64_t value;  // "5.5 KiB"
};
struct Moment {
  std::uint64_t secondsSince1970;  // "2024-03-01 12:00:00 UTC"
};
struct Lines {
  std::string text;  // of several lines, as a compiler wrote it; all other texts stand on one line
};
struct Absent {};                       // null; "-"
using List = std::vector<std::string>;  // an array; its texts with blanks between them

using Cell =
    std::variant<Absent, std::string, Lines, std::uint64_t, bool, Milliseconds, ByteCount, Moment, List>;

// A text, or nothing where it is empty.
inline Cell optionalCell(std::string text) {
  if (text.empty()) return Absent{};
  return text;
}

enum class Shown : std::uint8_t { everywhere, inJsonOnly };

struct Field {
  std::string name;
  Cell value;
};

class Report {
 public:
  using Record = std::vector<Field>;
  struct Column {
    Column(const char* columnName, Shown where = Shown::everywhere) : name(columnName), shown(where) {}
    std::string name;
    Shown shown;
  };
  struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;  // each with a cell for every column
  };
  struct Item {
    std::string name;
    std::variant<Cell, Record, Table> content;
    Shown shown;
  };

  void add(std::string name, Cell value, Shown shown = Shown::everywhere) {
    items_.push_back({std::move(name), std::move(value), shown});
  }
  void add(std::string name, Record record, Shown shown = Shown::everywhere) {
    items_.push_back({std::move(name), std::move(record), shown});
  }
  void add(std::string name, Table table, Shown shown = Shown::everywhere) {
    items_.push_back({std::move(name), std::move(table), shown});
  }
  // A text that may be missing: no item at all where it is empty.
  void addIfAny(std::string name, const std::string& text, Shown shown = Shown::everywhere) {
    if (!text.empty()) add(std::move(name), Cell{text}, shown);
  }

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

// For people: values aligned under each other, then each table and each text of several lines below its name.
// Control characters are shown as escapes (printable_text.h).
std::string printText(const Report& report);
// One JSON object on several lines, a newline behind it. Bytes that are not UTF-8 become U+FFFD.
std::string printJson(const Report& report);

}  // namespace kiln::cli
