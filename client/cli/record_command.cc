// kiln record: runs a command, and writes down what it asks kiln to compile.

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>

#include "bundle/blob_folder.h"
#include "bundle/lock_file.h"
#include "bundle/recording.h"
#include "client/cli/commands.h"
#include "client/cli/process_tree.h"
#include "client/cli/reports.h"
#include "rpc/schema/recording_files.h"

namespace kiln::cli {
namespace {

using bundle::BundleError;
using bundle::BundleResult;

constexpr ExitCode kCannotRun{127};  // as shells tell it

// A folder of its own, gone with it unless it is kept.
class RecordingFolder {
 public:
  RecordingFolder() {
    std::error_code error;
    std::string place =
        std::filesystem::absolute(std::filesystem::temp_directory_path(error)) / "kiln-record-XXXXXX";
    if (error || ::mkdtemp(place.data()) == nullptr) return;
    path_ = place;
    std::filesystem::create_directory(path_ / recording::kRequests, error);
  }
  ~RecordingFolder() {
    std::error_code error;
    if (!path_.empty() && !isKept_) std::filesystem::remove_all(path_, error);
  }
  RecordingFolder(const RecordingFolder&) = delete;
  RecordingFolder& operator=(const RecordingFolder&) = delete;

  // Empty if there is none.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void keep() { isKept_ = true; }

 private:
  std::filesystem::path path_;
  bool isKept_ = false;
};

// What --merge names: a lock, or a recording that could not be made one.
struct Merged {
  std::string path;
  std::optional<bundle::Lock> lock;
};

BundleResult<std::vector<Merged>> readMerged(const std::vector<std::string>& paths) {
  std::vector<Merged> all;
  for (const auto& path : paths) {
    std::error_code error;
    if (std::filesystem::is_directory(std::filesystem::path(path) / recording::kRequests, error)) {
      all.push_back({path, std::nullopt});
      continue;
    }
    auto lock = bundle::readLock(path);
    if (!lock) return std::unexpected(std::move(lock.error()));
    all.push_back({path, std::move(*lock)});
  }
  return all;
}

// The lock of one of them, whose contents go to `blobs`.
BundleResult<bundle::Lock> take(Merged merged, const bundle::BlobFolder& blobs) {
  if (!merged.lock) return bundle::lockOf(merged.path, blobs);
  const auto theirs = bundle::BlobFolder::beside(merged.path);
  for (const auto& digest : bundle::contentsOf(*merged.lock)) {
    auto content = theirs.read(digest);
    if (!content) return std::unexpected(std::move(content.error()));
    if (auto added = blobs.add(digest, *content); !added) return std::unexpected(std::move(added.error()));
  }
  return *std::move(merged.lock);
}

// Why the lock that is there is not replaced by one without kernels; empty if it is.
std::string whyKept(const std::string& output, const bundle::Lock& lock) {
  if (!lock.kernels.empty()) return {};
  const auto before = bundle::readLock(output);
  if (!before || before->kernels.empty()) return {};
  auto why = "no kernel was recorded, and '" + output + "', which has " +
             std::to_string(before->kernels.size()) + ", is left as it is";
  if (!lock.uncaptured.empty()) {
    why += ": of '" + lock.uncaptured.front().name + "', " + lock.uncaptured.front().reason;
  }
  return why;
}

struct NotWritten {
  std::string message;
  bool isEmpty = false;  // there is nothing worth keeping
};

// Writes the lock of all parts, and `rest` with them.
std::expected<bundle::Lock, NotWritten> writeMerged(const std::string& output, std::vector<Merged> parts,
                                                    bundle::Lock rest) {
  const auto blobs = bundle::BlobFolder::beside(output);
  std::vector<bundle::Lock> locks = {std::move(rest)};
  for (auto& part : parts) {
    auto lock = take(std::move(part), blobs);
    if (!lock) return std::unexpected(NotWritten{std::move(lock.error().message)});
    locks.push_back(std::move(*lock));
  }
  auto lock = bundle::merged(std::move(locks));
  if (auto kept = whyKept(output, lock); !kept.empty())
    return std::unexpected(NotWritten{std::move(kept), true});
  if (auto written = bundle::writeFile(output, bundle::writeLock(lock)); !written)
    return std::unexpected(NotWritten{std::move(written.error().message)});
  blobs.keepOnly(bundle::contentsOf(lock));
  return lock;
}

// Before a command has run for hours.
BundleResult<void> checkWritable(const std::string& output) {
  if (auto lock = bundle::checkWritable(output); !lock) return lock;
  return bundle::BlobFolder::beside(output).checkWritable();
}

ExitCode fail(const Context& context, const BundleError& error) {
  return fail(context, ExitCode::refused, "not_recorded", error.message);
}

// Standard output is the command's: what is said of it stands beside.
void say(const Context& context, const Report& report) {
  std::cerr << (context.format == Format::json ? printJson(report) : printText(report));
}

ExitCode merge(const Context& context, const RecordArguments& arguments, std::vector<Merged> parts) {
  const auto lock = writeMerged(arguments.output, std::move(parts), {});
  if (!lock) return fail(context, BundleError{lock.error().message});
  const auto report = reportOf(*lock, arguments.output);
  if (context.format == Format::json) {
    print(context, report);
  } else {
    say(context, report);
  }
  return ExitCode::done;
}

ExitCode record(const Context& context, const RecordArguments& arguments, std::vector<Merged> parts) {
  const auto& program = arguments.command.front();
  RecordingFolder folder;
  if (folder.path().empty()) {
    return cli::fail(context, ExitCode::notFinished, "internal",
                     std::string("cannot make a temporary folder to record into: ") + std::strerror(errno));
  }
  std::vector<std::pair<std::string, std::string>> variables = {{"KILN_RECORD", folder.path()}};
  if (!context.client.socket.empty()) variables.emplace_back("KILN_SOCKET", context.client.socket);
  const KeptSignals signals;  // until the lock is written
  const auto end = runTree(arguments.command, variables, signals);
  if (!end) {
    return cli::fail(context, kCannotRun, "not_recorded",
                     "cannot run '" + program + "': " + std::strerror(end.error()) + "; '" +
                         arguments.output + "' was not touched");
  }
  bundle::Lock rest;
  if (end->isStillRunning) {
    rest.uncaptured.push_back({program, "processes that it left behind still ran when the recording ended"});
  }
  parts.push_back({folder.path(), std::nullopt});
  const auto lock = writeMerged(arguments.output, std::move(parts), std::move(rest));
  if (!lock) {
    auto message = lock.error().message;
    if (!lock.error().isEmpty) {
      folder.keep();
      message += "; what was recorded is kept, and 'kiln record -o " + arguments.output + " --merge " +
                 folder.path().string() + "' makes the lock of it";
    }
    if (context.format == Format::json) {
      say(context, reportOfFailure("not_recorded", message));
    } else {
      std::cerr << "kiln: " << message << '\n';
    }
    return ExitCode::refused;
  }
  say(context, reportOf(*lock, arguments.output));
  return static_cast<ExitCode>(end->status);
}

}  // namespace

ExitCode run(const Context& context, const RecordArguments& arguments) {
  auto parts = readMerged(arguments.merged);
  if (!parts) return fail(context, parts.error());
  if (auto writable = checkWritable(arguments.output); !writable) return fail(context, writable.error());
  return arguments.command.empty() ? merge(context, arguments, *std::move(parts))
                                   : record(context, arguments, *std::move(parts));
}

}  // namespace kiln::cli
