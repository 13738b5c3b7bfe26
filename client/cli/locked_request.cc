#include "client/cli/locked_request.h"

#include <utility>

#include "client/compile_call.h"

namespace kiln::cli {
namespace {

Failure unavailable(std::string message) { return {FailureKind::fileUnavailable, std::move(message)}; }

}  // namespace

std::expected<Request, Failure> requestFor(const bundle::LockedKernel& kernel, const Target& target,
                                           LockContents& contents) {
  Request request;
  request.language = kernel.language;
  request.target = target;
  request.names = kernel.names;
  // Nothing is named below it but what has no name.
  request.names.temporaryDirectory = bundle::kTemporaryDirectory;
  request.options = kernel.options;
  request.nameExpressions = kernel.nameExpressions;
  request.outputs = kernel.outputs;
  request.timestamp = kernel.timestamp;
  if (!kernel.virtualArchitecture.empty()) {
    auto architecture = parseTarget(kernel.virtualArchitecture);
    if (!architecture) return std::unexpected(std::move(architecture.error()));
    if (target.kind == Target::Kind::nvidiaReal) request.virtualArchitecture = std::move(*architecture);
  }
  auto source = contents.read(kernel.source);
  if (!source) return std::unexpected(unavailable(std::move(source.error().message)));
  request.source = (*source)->text;
  for (const auto& header : kernel.headers) {
    auto content = contents.read(header.sha256);
    if (!content) return std::unexpected(unavailable(std::move(content.error().message)));
    request.headers.push_back({header.name, (*content)->text});
  }
  for (const auto& input : kernel.inputs) {
    auto content = contents.read(input.sha256);
    if (!content) return std::unexpected(unavailable(std::move(content.error().message)));
    request.inputs.push_back((*content)->text);
  }
  return client::prepare(std::move(request));
}

}  // namespace kiln::cli
