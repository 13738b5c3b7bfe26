// Stand-ins for both sides of a compile: a client whose files are a table, and a compiler that is a function
// of the test. The compile itself runs in a forked process, over the real protocol.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jit/artifact.h"
#include "jit/files.h"
#include "jit/request.h"

namespace kiln::test {

// Files as a client would answer for them. What is not in the table is absent, at the path itself.
class StandInClient {
 public:
  StandInClient& file(const std::string& path, std::string content, std::uint64_t identity = 0);
  StandInClient& directory(const std::string& path, std::vector<std::string> names = {});
  StandInClient& link(const std::string& path, std::string text);
  StandInClient& resolved(const std::string& path, std::string text);
  // `missing` is the shallowest missing directory, said for `path`.
  StandInClient& absent(const std::string& path, std::string missing);
  StandInClient& answer(FileQuestion::Kind kind, const std::string& path, FileAnswer answer);

  // Sends the answer to a look at `path` along with every answer that it gives.
  StandInClient& sendAhead(const std::string& path, FileAnswer answer);
  [[nodiscard]] const std::vector<AheadAnswer>& ahead() const { return ahead_; }

  // The answer to a question; notes the question.
  FileAnswer answer(const FileQuestion& question);
  [[nodiscard]] const std::vector<FileQuestion>& questions() const { return questions_; }
  [[nodiscard]] int timesAsked(const std::string& path) const;

 private:
  std::map<std::pair<FileQuestion::Kind, std::string>, FileAnswer> answers_;
  std::uint64_t nextIdentity_ = 1000;
  std::vector<FileQuestion> questions_;
  std::vector<AheadAnswer> ahead_;
};

// Serves kilnd's end of a job socket: sends the request, answers until the result or the end of the stream.
// An empty result says that the process ended without one.
std::optional<Compiled> serveJob(int socket, const Request& request, StandInClient& client);

// What a stand-in compiler does in place of compiling. Runs in the forked process.
using CompileFunction = std::function<std::string(const Request&)>;

struct JobOutcome {
  std::optional<Compiled> compiled;
  int exitStatus = -1;

  // What the compile function returned.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] const Failure* failure() const;
};

// Runs one job whose compiler is `compile`, with its toolchain in `toolchainDirectory`. What `compile`
// returns is the artifact's log.
JobOutcome runJobWith(const Request& request, StandInClient& client, const CompileFunction& compile,
                      const std::string& toolchainDirectory = "/toolchain");

// A request for source "/client/src/k.cu" with include directory "/client/include", in "/client/work".
Request clientRequest();

// fileCall() of the library file_calls, loaded as compilers are.
std::string fileCall(const std::string& function, const std::string& path = "");
std::vector<std::string> fileCallNames();

}  // namespace kiln::test
