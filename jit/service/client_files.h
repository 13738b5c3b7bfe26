// The service's view of one client's files.
#pragma once

#include <kj/async.h>
#include <kj/refcount.h>

#include <memory>
#include <vector>

#include "jit/content_stamp.h"
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

  struct Fingerprint {
    Hash128 value;                   // fingerprint() of the states that a list finds
    std::vector<KnownContent> read;  // what the client had to read to tell
  };
  // Nothing if this client gives none, and has to be asked by digests(). `hints`: what clients of the same
  // user and domain have read before, never null.
  virtual kj::Promise<kj::Maybe<Fingerprint>> fingerprint(
      std::shared_ptr<const QuestionList> list, std::shared_ptr<const std::vector<KnownContent>> hints) = 0;

  kj::Own<ClientFiles> addRef() { return kj::addRef(*this); }
};

}  // namespace kiln
