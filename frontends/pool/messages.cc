#include "frontends/pool/messages.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rpc/schema/convert.h"

namespace kiln {
namespace {

std::unexpected<Malformed> malformed(std::string what) { return std::unexpected(Malformed{std::move(what)}); }

std::expected<std::variant<Artifact, Failure>, Malformed> readResult(schema::Finished::Reader reader,
                                                                     const Request& request) {
  switch (reader.which()) {
    case schema::Finished::FAILURE:
      return convert::read(reader.getFailure());
    case schema::Finished::ARTIFACT: {
      auto artifact = convert::read(reader.getArtifact());
      if (!artifact) return malformed(artifact.error().message);
      if (!std::ranges::equal(artifact->outputs, request.outputs, {}, &Output::kind)) {
        return malformed("its outputs are not those that were asked for");
      }
      return std::move(*artifact);
    }
  }
  return malformed("it is neither an artifact nor a failure");
}

}  // namespace

std::expected<FileQuestion, Malformed> readQuestion(schema::FileQuestion::Reader reader) {
  auto kind = static_cast<std::uint16_t>(reader.getKind());
  if (kind > static_cast<std::uint16_t>(FileQuestion::Kind::resolve)) {
    return malformed("it asks question " + std::to_string(kind) + " of a file, which there is not");
  }
  auto path = convert::text(reader.getPath());
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) {
    return malformed("it asks after a file by a path that is not absolute");
  }
  return FileQuestion{static_cast<FileQuestion::Kind>(kind), std::string(path)};
}

std::expected<Compiled, Malformed> readFinished(schema::Finished::Reader reader, const Request& request) {
  auto result = readResult(reader, request);
  if (!result) return std::unexpected(std::move(result.error()));
  auto dependencies = convert::read(reader.getDependencies());
  if (!dependencies) return malformed(dependencies.error().message);
  double milliseconds = reader.getCompileMs();
  if (!std::isfinite(milliseconds) || milliseconds < 0) return malformed("its compile time is not a time");
  return Compiled{std::move(*result), normalised(std::move(*dependencies)), reader.getNamesBind(),
                  milliseconds, std::string(convert::text(reader.getUnclean()))};
}

}  // namespace kiln
