#include "client/cli/compile_failure.h"

#include <iostream>

namespace kiln::cli {
namespace {

// Where a failure comes from, unless it is from a compile that this request made.
std::string_view origin(client::Reply::How how) {
  switch (how) {
    case client::Reply::How::hit:
      return " (from the cache)";
    case client::Reply::How::joined:
      return " (of a compile that another request had begun)";
    case client::Reply::How::miss:
      break;
  }
  return "";
}

}  // namespace

ExitCode fail(const Context& context, const RequestProblem& problem) {
  if (const auto* file = std::get_if<FileProblem>(&problem)) {
    return cli::fail(context, ExitCode::usage, "usage", file->message);
  }
  const auto& failure = std::get<Failure>(problem);
  const std::string kind(name(failure.kind));
  // As of a failure that kilnd tells.
  const auto message = context.format == Format::text ? kind + ": " + failure.message : failure.message;
  return cli::fail(context, exitCodeOf(failure.kind), kind, message);
}

void printDiagnostics(const client::Reply& reply) {
  std::cerr.write(reply.log.data(), static_cast<std::streamsize>(reply.log.size()));
  if (!reply.failure) return;
  if (!reply.log.empty() && !reply.log.ends_with('\n')) std::cerr << '\n';
  std::cerr << "kiln: " << name(reply.failure->kind) << origin(reply.how) << ": " << reply.failure->message
            << '\n';
}

}  // namespace kiln::cli
