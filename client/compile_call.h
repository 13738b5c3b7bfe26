// One compile as it is sent to kilnd: a lookup by hash first, the source only if that finds nothing.
#pragma once

#include <expected>
#include <memory>

#include "client/client.h"
#include "client/file_view.h"
#include "client/memory.h"
#include "client/worker_pool.h"
#include "jit/failure.h"
#include "jit/hash.h"
#include "jit/request.h"
#include "kiln.capnp.h"

namespace kiln::client {

// `request` as it is hashed and sent: defaults filled in, options sorted into their fields. Failure: what the
// daemon would refuse for the same reason.
std::expected<Request, Failure> prepare(Request request);

// Immutable: may be sent more than once.
class CompileCall : public std::enable_shared_from_this<CompileCall> {
 public:
  // `request` as prepare() gives it.
  CompileCall(Request request, const CompileOptions& options, std::shared_ptr<const FileView> files,
              Memory memory);

  [[nodiscard]] const Request& request() const { return request_; }

  // For the loop. Looked up alone, a miss is a reply with nothing but its reason; a request in stages cannot
  // be.
  enum class Depth : std::uint8_t { lookUp, compile };
  kj::Promise<Reply> send(schema::Session::Client session, WorkerPool& workers,
                          Depth depth = Depth::compile) const;

 private:
  // `known`: the dependencies that the daemon was told it may leave out. Keeps those that it sent.
  kj::Promise<Reply> readOutcome(schema::Outcome::Reader outcome, KnownDependencies::Known known) const;
  kj::Promise<Reply> compile(schema::Session::Client session, schema::FileSource::Client files,
                             std::string missReason) const;

  const Request request_;
  const CompileOptions options_;
  const std::shared_ptr<const FileView> files_;
  const Memory memory_;
  const Hash128 hash_;
  const bool isStaged_;  // carried out as two requests, so that there is nothing to be looked up
};

}  // namespace kiln::client
