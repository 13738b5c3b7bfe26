// The child's end of its job: one request in, questions and answers, one result out.
#pragma once

#include <expected>

#include "frontends/process/message_io.h"
#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/files.h"
#include "jit/request.h"

namespace kiln {

// Blocking; not thread-safe.
class JobConnection {
 public:
  // `socket` stays the caller's.
  explicit JobConnection(int socket) : socket_(socket), hasClient_(socket >= 0) {}
  // Of no job: to all questions the answer is that there is nothing but the root directory.
  static JobConnection withoutClient() { return JobConnection(-1); }

  // Waits for the job. Failure: internal if the socket broke, else what is wrong with the request.
  std::expected<Request, Failure> take();
  // Asks the client. If kilnd cannot be reached the process ends here, with kBrokenSocket: a compile must not
  // go on after a question without an answer.
  FileReply ask(const FileQuestion& question);
  // Delivers; says whether kilnd can have received it.
  bool finish(const Compiled& compiled);
  // Delivers `failure` as the result of a compile that cannot go on, and ends the process.
  [[noreturn]] void end(Failure failure);

  // Exit status of a child that lost kilnd.
  static constexpr int kBrokenSocket = 3;

 private:
  MessageSocket socket_;
  bool hasClient_;
};

}  // namespace kiln
