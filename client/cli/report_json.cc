#include <nlohmann/json.hpp>

#include "client/cli/report.h"

namespace kiln::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ToJson {
  Json operator()(Absent) const { return nullptr; }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const Lines& lines) const { return lines.text; }
  Json operator()(std::uint64_t number) const { return number; }
  Json operator()(bool value) const { return value; }
  Json operator()(Milliseconds time) const { return time.value; }
  Json operator()(ByteCount bytes) const { return bytes.value; }
  Json operator()(Moment moment) const { return moment.secondsSince1970; }
  Json operator()(const List& texts) const { return texts; }
};

Json toJson(const Cell& cell) { return std::visit(ToJson{}, cell); }

Json toJson(const Report::Record& record) {
  Json object = Json::object();
  for (const auto& field : record) object[field.name] = toJson(field.value);
  return object;
}

Json toJson(const Report::Table& table) {
  Json array = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < table.columns.size(); ++i) object[table.columns[i].name] = toJson(row[i]);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

std::string printJson(const Report& report) {
  Json object = Json::object();
  for (const auto& item : report.items()) {
    object[item.name] = std::visit([](const auto& content) { return toJson(content); }, item.content);
  }
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kiln::cli
