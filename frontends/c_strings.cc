#include "frontends/c_strings.h"

namespace kiln {

std::expected<void, Failure> checkCStrings(const Request& request, std::string_view compiler) {
  auto holdsNul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  auto refuse = [&](const std::string& what) {
    return std::unexpected(
        Failure{FailureKind::invalidRequest,
                what + " holds a NUL character, which " + std::string(compiler) + " cannot take; remove it"});
  };
  if (holdsNul(request.source)) return refuse("the source '" + request.names.source + "'");
  if (holdsNul(request.names.source)) return refuse("the name of the source");
  if (holdsNul(request.names.workingDirectory)) return refuse("the working directory");
  for (const auto& header : request.headers) {
    if (holdsNul(header.name) || holdsNul(header.content)) return refuse("the header '" + header.name + "'");
  }
  for (const auto& directory : request.names.includeDirectories) {
    if (holdsNul(directory)) return refuse("the include directory '" + directory + "'");
  }
  for (const auto& option : request.options) {
    if (holdsNul(option)) return refuse("the option '" + option + "'");
  }
  for (const auto& expression : request.nameExpressions) {
    if (holdsNul(expression)) return refuse("the name expression '" + expression + "'");
  }
  return {};
}

}  // namespace kiln
