// kiln record: runs a command, and writes down what it asks kiln to compile.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "bundle/blob_folder.h"
#include "bundle/lock_file.h"
#include "bundle/recording.h"
#include "client/cli/commands.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

constexpr int kSignalled = 128;  // as shells tell of a signal
constexpr int kCannotRun = 127;

// A folder of its own, gone with it.
class RecordingFolder {
 public:
  RecordingFolder() {
    std::string place = std::filesystem::temp_directory_path() / "kiln-record-XXXXXX";
    if (::mkdtemp(place.data()) != nullptr) path_ = place;
  }
  ~RecordingFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  RecordingFolder(const RecordingFolder&) = delete;
  RecordingFolder& operator=(const RecordingFolder&) = delete;

  // Empty if there is none.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Keys typed at the terminal are for the command, and what it made of them is written down.
class IgnoredInterrupts {
 public:
  IgnoredInterrupts() : interrupt_(std::signal(SIGINT, SIG_IGN)), quit_(std::signal(SIGQUIT, SIG_IGN)) {}
  ~IgnoredInterrupts() { restore(); }
  IgnoredInterrupts(const IgnoredInterrupts&) = delete;
  IgnoredInterrupts& operator=(const IgnoredInterrupts&) = delete;
  void restore() const {
    std::signal(SIGINT, interrupt_);
    std::signal(SIGQUIT, quit_);
  }

 private:
  sighandler_t interrupt_, quit_;
};

// The exit status of the command, as a shell tells it.
int runRecorded(const Context& context, const std::vector<std::string>& command,
                const std::filesystem::path& folder) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const IgnoredInterrupts ignored;
  const pid_t process = ::fork();
  if (process == 0) {
    ignored.restore();
    ::setenv("KILN_RECORD", folder.c_str(), 1);
    if (!context.client.socket.empty()) ::setenv("KILN_SOCKET", context.client.socket.c_str(), 1);
    ::execvp(arguments.front(), arguments.data());
    std::cerr << "kiln: cannot run '" << command.front() << "': " << std::strerror(errno) << '\n';
    ::_exit(kCannotRun);
  }
  int status = 0;
  while (process > 0 && ::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (process < 0) return kCannotRun;
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

// The locks to merge; their contents go to `blobs`.
bundle::BundleResult<std::vector<bundle::Lock>> readMerged(const std::vector<std::string>& paths,
                                                           const bundle::BlobFolder& blobs) {
  std::vector<bundle::Lock> locks;
  for (const auto& path : paths) {
    auto lock = bundle::readLock(path);
    if (!lock) return std::unexpected(std::move(lock.error()));
    const auto theirs = bundle::BlobFolder::beside(path);
    for (const auto& digest : bundle::contentsOf(*lock)) {
      auto content = theirs.read(digest);
      if (!content) return std::unexpected(std::move(content.error()));
      if (auto added = blobs.add(digest, *content); !added) return std::unexpected(std::move(added.error()));
    }
    locks.push_back(std::move(*lock));
  }
  return locks;
}

ExitCode fail(const Context& context, const bundle::BundleError& error) {
  return fail(context, ExitCode::refused, "not_recorded", error.message);
}

}  // namespace

ExitCode run(const Context& context, const RecordArguments& arguments) {
  const auto blobs = bundle::BlobFolder::beside(arguments.output);
  auto parts = readMerged(arguments.merged, blobs);
  if (!parts) return fail(context, parts.error());
  int status = 0;
  if (!arguments.command.empty()) {
    const RecordingFolder folder;
    if (folder.path().empty()) {
      return cli::fail(context, ExitCode::notFinished, "internal",
                       std::string("cannot make a temporary folder to record into: ") + std::strerror(errno));
    }
    status = runRecorded(context, arguments.command, folder.path());
    auto recorded = bundle::lockOf(folder.path(), blobs);
    if (!recorded) return fail(context, recorded.error());
    parts->push_back(std::move(*recorded));
  }
  const auto lock = bundle::merged(std::move(*parts));
  if (auto written = bundle::writeFile(arguments.output, bundle::writeLock(lock)); !written) {
    return fail(context, written.error());
  }
  blobs.keepOnly(bundle::contentsOf(lock));
  // The command's own output is the first thing on standard output; what is said of it stands beside.
  if (context.format == Format::json) {
    print(context, reportOf(lock, arguments.output));
  } else {
    std::cerr << printText(reportOf(lock, arguments.output));
  }
  return static_cast<ExitCode>(status);
}

}  // namespace kiln::cli
