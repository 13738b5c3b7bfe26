#include <iomanip>
#include <sstream>

#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

std::string hexadecimal(std::uint64_t number) {
  std::ostringstream text;
  text << std::hex << std::setfill('0') << std::setw(16) << number;
  return text.str();
}

Report::Table argumentTable(const std::vector<KernelArgument>& arguments, const CallResult& called) {
  Report::Table table{{"argument", "checksum_before", "checksum_after", "first"}, {}};
  auto buffer = called.buffers.begin();
  for (const auto& argument : arguments) {
    if (argument.isBuffer()) {
      table.rows.push_back(
          {describe(argument), hexadecimal(buffer->before), hexadecimal(buffer->after), List(buffer->first)});
      ++buffer;
    } else {
      table.rows.push_back({describe(argument), Absent{}, Absent{}, Absent{}});
    }
  }
  return table;
}

}  // namespace

Report reportOf(const client::Reply& reply, const RunArguments& arguments, const CallResult& called) {
  auto report = reportOf(reply, {});
  report.add("kernel", arguments.kernel);
  report.add("call_ms", Milliseconds{called.milliseconds});
  report.add("arguments", argumentTable(arguments.arguments, called));
  return report;
}

}  // namespace kiln::cli
