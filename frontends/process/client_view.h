// The client's files as the compiler in this process sees them: asked for once, kept, recorded. Answers that
// came ahead of their question are used when the compiler gets there, and recorded only then.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "frontends/process/job_connection.h"
#include "frontends/process/recorder.h"
#include "jit/files.h"

namespace kiln {

// Every question whose answer the compiler could not be given truthfully (denied, failed, a FIFO opened) ends
// the process with a failure that names the file. References stay valid. Not thread-safe.
class ClientView {
 public:
  ClientView(JobConnection& job, Recorder& recorder) : job_(job), recorder_(recorder) {}

  // What is there: absent, file, directory or other.
  const FileAnswer& look(const AskedPath& path);
  // For a path known to be a directory: `listing`, sorted, or absent.
  const FileAnswer& list(const AskedPath& path);
  // The text of a link: `text`, absent, or directory for anything that is no link.
  const FileAnswer& readLink(const AskedPath& path);
  // The path without links, "." and "..": `text` or absent.
  const FileAnswer& resolve(const AskedPath& path);

  // Ends the process: `path` is something that cannot be read as a file.
  [[noreturn]] void refuseToOpen(const std::string& path, const FileAnswer& answer);

 private:
  using Answers = std::unordered_map<std::string, FileAnswer>;

  // The answer, asked for or known.
  FileAnswer& answer(FileQuestion::Kind kind, const std::string& path);
  FileAnswer find(FileQuestion::Kind kind, const std::string& path);
  FileAnswer ask(FileQuestion::Kind kind, const std::string& path);
  [[nodiscard]] const std::string* knownMissing(const std::string& path) const;

  JobConnection& job_;
  Recorder& recorder_;
  std::array<Answers, 4> answers_;  // by FileQuestion::Kind
  Answers ahead_;                   // to looks that the compiler has not come to
  std::unordered_set<std::string> missing_;
};

}  // namespace kiln
