#include "client/module.h"

#include <algorithm>
#include <utility>

namespace kiln::client {
namespace {

const OutputReply* binaryOf(const Reply& reply, OutputKind kind) {
  const auto found = std::ranges::find(reply.outputs, kind, &OutputReply::kind);
  return found == reply.outputs.end() ? nullptr : &*found;
}

// What was compiled, loaded; nothing but the reply if nothing was compiled.
void load(ModuleReply& result, Loader& loader, const std::string& name) {
  result.problem.reset();
  const auto& reply = *result.reply;
  if (!reply || reply->failure) return;
  const auto* binary = binaryOf(*reply, loader.binary());
  if (binary == nullptr) {
    result.problem =
        LoadProblem{LoadProblem::Kind::unavailable,
                    "kilnd sent no " + std::string(kiln::name(loader.binary())) + " of '" + name + "'"};
    return;
  }
  auto module = loader.load({binary->bytes.data(), binary->bytes.size()}, name);
  if (module) {
    result.module = std::move(*module);
  } else {
    result.problem = std::move(module.error());
  }
}

// Whether kilnd, told of the refusal, has or may have other bytes; nothing if it could not be told.
Reached<bool> mayBeBetter(Client& client, const ModuleReply& result, OutputKind kind) {
  const auto& reply = **result.reply;
  return client.reportRefused(reply.key, binaryOf(reply, kind)->sha256, result.problem->message);
}

}  // namespace

ModuleReply compileAndLoad(Client& client, Request request, const CompileOptions& options, LoaderKind kind) {
  ModuleReply result;
  const auto loader = loaderFor(kind);
  if (!loader) {
    result.problem = loader.error();
    return result;
  }
  request.outputs = {(*loader)->binary()};
  const auto name = request.names.source + " for " + shortName(request.target);
  result.reply = client.compile(request, options);
  load(result, **loader, name);
  if (!result.problem || result.problem->kind != LoadProblem::Kind::refused) return result;
  const auto again = mayBeBetter(client, result, (*loader)->binary());
  if (!again) {
    result.problem->message += "; kilnd could not be told: " + again.error().message;
    return result;
  }
  if (!*again) {
    result.problem->message += "; kilnd has compiled it anew before, to the same bytes";
    return result;
  }
  result.reply = client.compile(std::move(request), options);
  load(result, **loader, name);
  if (result.problem) result.problem->message += ", also when it was compiled anew";
  return result;
}

}  // namespace kiln::client
