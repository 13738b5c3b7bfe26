#include "client/compile_call.h"

#include <algorithm>

#include "client/file_source.h"
#include "client/replies.h"
#include "frontends/nvrtc/options.h"
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
  if (request.outputs.empty()) {
    bool isVirtual = request.target.kind == Target::Kind::nvidiaVirtual;
    request.outputs.push_back(isVirtual ? OutputKind::ptx : OutputKind::cubin);
  }
  std::sort(request.outputs.begin(), request.outputs.end());
  request.outputs.erase(std::unique(request.outputs.begin(), request.outputs.end()), request.outputs.end());
  return nvrtc::normalised(std::move(request));
}

CompileCall::CompileCall(Request request, const CompileOptions& options,
                         std::shared_ptr<const FileReader> files)
    : request_(std::move(request)),
      options_(options),
      files_(std::move(files)),
      hash_(requestHash(request_)) {}

kj::Promise<Reply> CompileCall::send(schema::Session::Client session, WorkerPool& workers) const {
  auto ahead =
      std::make_shared<FilesAhead>(files_, std::shared_ptr<const Request>(shared_from_this(), &request_));
  schema::FileSource::Client files = kj::heap<FileSource>(workers, files_, std::move(ahead));
  auto lookup = session.lookupRequest();
  lookup.setHash(convert::toData(hash_.view()));
  convert::write(lookup.initNames(), request_.names);
  lookup.setToolchain(convert::toText(options_.toolchain));
  lookup.setFiles(files);
  return lookup.send().then([self = shared_from_this(), session, files](auto&& response) mutable {
    auto result = response.getResult();
    switch (result.which()) {
      case schema::LookupResult::HIT:
        return readOutcome(result.getHit()).attach(kj::mv(response));
      case schema::LookupResult::FAILURE:
        return kj::Promise<Reply>(failureReply(convert::read(result.getFailure())));
      default:
        break;
    }
    std::string reason(result.isMiss() ? convert::text(result.getMiss()) : "");
    return self->compile(session, files, std::move(reason));
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
  return compile.send().then([missReason = std::move(missReason)](auto&& response) {
    return readOutcome(response.getOutcome()).attach(kj::mv(response)).then([missReason](Reply reply) {
      if (reply.missReason.empty() && reply.how != Reply::How::hit) reply.missReason = missReason;
      return reply;
    });
  });
}

}  // namespace kiln::client
