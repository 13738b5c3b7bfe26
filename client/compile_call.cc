#include "client/compile_call.h"

#include <algorithm>

#include "client/file_source.h"
#include "client/replies.h"
#include "frontends/request_options.h"
#include "jit/request_hash.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

schema::Priority toSchema(Priority priority) {
  switch (priority) {
    case Priority::background:
      return schema::Priority::BACKGROUND;
    case Priority::interactive:
      return schema::Priority::INTERACTIVE;
    case Priority::normal:
      break;
  }
  return schema::Priority::NORMAL;
}

std::uint32_t toMilliseconds(std::chrono::milliseconds timeout) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.count(), 0, UINT32_MAX));
}

}  // namespace

std::expected<Request, Failure> prepare(Request request) {
  if (!request.names.workingDirectory.starts_with('/')) {
    return std::unexpected(
        Failure{FailureKind::invalidRequest,
                "the working directory '" + request.names.workingDirectory + "' is not an absolute path"});
  }
  // The name that NVRTC itself gives to a source without one.
  if (request.names.source.empty()) request.names.source = "default_program";
  if (request.outputs.empty()) request.outputs.push_back(usualOutput(request.target));
  std::sort(request.outputs.begin(), request.outputs.end());
  request.outputs.erase(std::unique(request.outputs.begin(), request.outputs.end()), request.outputs.end());
  return normalised(std::move(request));
}

CompileCall::CompileCall(Request request, const CompileOptions& options,
                         std::shared_ptr<const FileView> files, Memory memory)
    : request_(std::move(request)),
      options_(options),
      files_(std::move(files)),
      memory_(std::move(memory)),
      hash_(requestHash(request_)),
      isStaged_(stagesOf(request_).has_value()) {}

kj::Promise<Reply> CompileCall::send(schema::Session::Client session, WorkerPool& workers,
                                     Depth depth) const {
  auto ahead =
      std::make_shared<FilesAhead>(files_, std::shared_ptr<const Request>(shared_from_this(), &request_));
  schema::FileSource::Client files = kj::heap<FileSource>(workers, files_, std::move(ahead), memory_);
  if (isStaged_ && depth == Depth::compile) return compile(session, files, {});
  auto known = memory_.dependencies->find(hash_);
  auto lookup = session.lookupRequest();
  lookup.setKnownKey(convert::toData(known.key));
  lookup.setHash(convert::toData(hash_.view()));
  convert::write(lookup.initNames(), request_.names);
  lookup.setToolchain(convert::toText(options_.toolchain));
  if (depth == Depth::lookUp) convert::write(lookup.initRequest(), request_);
  // Where nothing was depended on, nothing is to be looked at. A daemon that wants to all the same finds
  // nothing, and has the files in the call that follows.
  if (!known.isWithoutDependencies()) lookup.setFiles(files);
  return lookup.send().then(
      [self = shared_from_this(), session, files, known = std::move(known), depth](auto&& response) mutable {
        auto result = response.getResult();
        switch (result.which()) {
          case schema::LookupResult::HIT:
            return self->readOutcome(result.getHit(), std::move(known)).attach(kj::mv(response));
          case schema::LookupResult::FAILURE:
            return kj::Promise<Reply>(failureReply(convert::read(result.getFailure())));
          default:
            break;
        }
        std::string reason(result.isMiss() ? convert::text(result.getMiss()) : "");
        if (depth == Depth::lookUp) {
          Reply miss;
          miss.missReason = std::move(reason);
          return kj::Promise<Reply>(std::move(miss));
        }
        return self->compile(session, files, std::move(reason));
      });
}

kj::Promise<Reply> CompileCall::readOutcome(schema::Outcome::Reader outcome,
                                            KnownDependencies::Known known) const {
  bool areKnown = outcome.getDependenciesKnown();
  std::string key(convert::text(outcome.getKey()));
  return client::readOutcome(outcome).then([self = shared_from_this(), areKnown, key = std::move(key),
                                            known = std::move(known)](Reply&& reply) mutable {
    if (areKnown) {
      reply.dependencies = std::move(known.dependencies);
    } else if (!key.empty() && !self->isStaged_) {
      self->memory_.dependencies->keep(self->hash_, {std::move(key), reply.dependencies});
    }
    return std::move(reply);
  });
}

kj::Promise<Reply> CompileCall::compile(schema::Session::Client session, schema::FileSource::Client files,
                                        std::string missReason) const {
  auto compile = session.compileRequest();
  convert::write(compile.initRequest(), request_);
  compile.setHash(convert::toData(hash_.view()));
  compile.setToolchain(convert::toText(options_.toolchain));
  compile.setPriority(toSchema(options_.priority));
  compile.setTimeoutMs(toMilliseconds(options_.timeout));
  compile.setFiles(files);
  return compile.send().then(
      [self = shared_from_this(), missReason = std::move(missReason)](auto&& response) {
        return self->readOutcome(response.getOutcome(), {})
            .attach(kj::mv(response))
            .then([missReason](Reply reply) {
              if (reply.missReason.empty() && reply.how != Reply::How::hit) reply.missReason = missReason;
              return reply;
            });
      });
}

}  // namespace kiln::client
