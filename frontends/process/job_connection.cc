#include "frontends/process/job_connection.h"

#include <unistd.h>

#include "compiler.capnp.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

schema::FileQuestion::Kind kindOf(FileQuestion::Kind kind) {
  switch (kind) {
    case FileQuestion::Kind::look:
      return schema::FileQuestion::Kind::LOOK;
    case FileQuestion::Kind::list:
      return schema::FileQuestion::Kind::LIST;
    case FileQuestion::Kind::readLink:
      return schema::FileQuestion::Kind::READ_LINK;
    case FileQuestion::Kind::resolve:
      break;
  }
  return schema::FileQuestion::Kind::RESOLVE;
}

}  // namespace

std::expected<Request, Failure> JobConnection::take() {
  auto message = socket_.receive();
  if (!message) {
    return std::unexpected(Failure{FailureKind::internal, "the job did not arrive: " + message.error() +
                                                              "; ask again, and see kilnd's log"});
  }
  return convert::read((*message)->reader.getRoot<schema::Job>().getRequest());
}

FileReply JobConnection::ask(const FileQuestion& question) {
  if (!hasClient_)
    return {{question.path == "/" ? FileAnswer::Kind::directory : FileAnswer::Kind::absent}, {}};
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::ChildMessage>().initQuestion();
  builder.setKind(kindOf(question.kind));
  builder.setPath(convert::toText(question.path));
  if (!socket_.send(message)) ::_exit(kBrokenSocket);
  auto answer = socket_.receive();
  if (!answer) ::_exit(kBrokenSocket);
  auto reply = (*answer)->reader.getRoot<schema::FileReply>();
  return {convert::read(reply.getAnswer()), convert::read(reply.getAhead())};
}

bool JobConnection::finish(const Compiled& compiled) {
  capnp::MallocMessageBuilder message;
  auto finished = message.initRoot<schema::ChildMessage>().initFinished();
  convert::write(finished.initDependencies(static_cast<unsigned>(compiled.dependencies.size())),
                 compiled.dependencies);
  finished.setNamesBind(compiled.namesBind);
  finished.setCompileMs(compiled.compileMilliseconds);
  finished.setUnclean(convert::toText(compiled.unclean));
  if (const auto* artifact = std::get_if<Artifact>(&compiled.result)) {
    convert::write(finished.initArtifact(), *artifact);
  } else {
    convert::write(finished.initFailure(), std::get<Failure>(compiled.result));
  }
  return socket_.send(message).has_value();
}

void JobConnection::end(Failure failure) {
  Compiled compiled;
  compiled.unclean = failure.message;
  compiled.result = std::move(failure);
  ::_exit(finish(compiled) ? 0 : kBrokenSocket);
}

}  // namespace kiln
