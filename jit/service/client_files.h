// The service's view of one client's files.
#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <memory>
#include <vector>

#include "jit/dependencies.h"
#include "jit/files.h"
#include "jit/question_list.h"

namespace kiln {

// Reference counted, since a running compile may outlive the call that brought it. Promises reject only when
// the client is gone.
class ClientFiles : public kj::Refcounted {
 public:
  virtual kj::Promise<FileReply> answer(FileQuestion question) = 0;
  // One state for each question, in order. A question that could not be answered has a state that agrees with
  // nothing.
  virtual kj::Promise<std::vector<FileState>> digests(std::vector<DigestQuestion> questions) = 0;

  // fingerprint() of the states that a list finds; nothing if this client gives none, and has to be asked by
  // digests().
  virtual kj::Promise<kj::Maybe<Hash128>> fingerprint(std::shared_ptr<const QuestionList> list) = 0;

  kj::Own<ClientFiles> addRef() { return kj::addRef(*this); }
};

}  // namespace kiln
