#include "client/cli/commands.h"

#include <iostream>

#include "client/cli/reports.h"

namespace kiln::cli {

void print(const Context& context, const Report& report) {
  std::cout << (context.format == Format::json ? printJson(report) : printText(report)) << std::flush;
}

ExitCode fail(const Context& context, ExitCode code, const std::string& kind, const std::string& message) {
  if (context.format == Format::json) {
    print(context, reportOfFailure(kind, message));
  } else {
    std::cerr << "kiln: " << message << '\n';
  }
  return code;
}

ExitCode fail(const Context& context, const client::Unreachable& unreachable) {
  return fail(context, ExitCode::unreachable, "unreachable", unreachable.message);
}

}  // namespace kiln::cli
