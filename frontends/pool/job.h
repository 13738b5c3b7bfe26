// One compile: a child, its job socket, its limits.
#pragma once

#include <capnp/message.h>
#include <kj/async-io.h>

#include <chrono>
#include <optional>

#include "frontends/pool/context.h"
#include "frontends/pool/messages.h"
#include "frontends/pool/zygote.h"
#include "jit/service/compilers.h"

namespace kiln {

// Destroying it kills the child.
class Job {
 public:
  Job(PoolContext& context, const Toolchain& toolchain, const Request& request,
      std::chrono::milliseconds timeout, FileAnswerer& files);
  KJ_DISALLOW_COPY(Job);

  // Once. `timeout` counts from when the child is there. Never rejects.
  kj::Promise<Compiled> run(Zygote& zygote);

 private:
  enum class Phase {
    talking,    // kilnd writes to the child, or reads from it
    answering,  // the client is asked
    over,       // the child has ended; what it sent before is still read
  };

  kj::Promise<Compiled> compile(Clone clone);

  // Three that race. The first to resolve decides.
  kj::Promise<Compiled> converse();
  kj::Promise<Compiled> watchTime();
  kj::Promise<Compiled> watchMemory();
  // Ends converse() when the child ends, whoever else may hold the child's end of the socket.
  kj::Promise<Compiled> watchChild();

  kj::Promise<Compiled> sendJob();
  kj::Promise<Compiled> readMessage();
  kj::Promise<Compiled> handle(schema::ChildMessage::Reader message);
  kj::Promise<Compiled> answer(FileQuestion question);
  kj::Promise<Compiled> send(const FileReply& reply);
  kj::Promise<Compiled> died();

  [[nodiscard]] Compiled crashed(ExitStatus status) const;
  [[nodiscard]] Compiled malformed(const std::string& what) const;
  [[nodiscard]] Compiled failed(FailureKind kind, const std::string& whatHappened) const;

  PoolContext& context_;
  const std::string toolchain_;
  const Request request_;
  const std::chrono::milliseconds timeout_;
  FileAnswerer& files_;

  Phase phase_ = Phase::talking;
  std::string asked_;  // the path that the client is asked after, or was last
  kj::TimePoint started_;
  std::optional<CompilerProcess> process_;
  kj::Own<kj::AsyncIoStream> stream_;
};

}  // namespace kiln
