#include "frontends/pool/describe.h"

#include <capnp/serialize.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <expected>
#include <optional>
#include <utility>

#include "compiler.capnp.h"
#include "frontends/pool/amounts.h"
#include "frontends/pool/spawn.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaximumReport = 1 << 20;

// Waits until `descriptor` can be read; false if the time is over before.
bool untilReadable(int descriptor, Clock::time_point deadline) {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd watched{descriptor, POLLIN, 0};
    int count = poll(&watched, 1, static_cast<int>(std::max<long>(left, 0)));
    if (count > 0) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

// All that comes out of the pipe before its end; nothing if that takes too long, or is too much.
std::optional<std::string> readAll(int descriptor, Clock::time_point deadline) {
  std::string bytes;
  char block[16 * 1024];
  while (bytes.size() <= kMaximumReport) {
    if (!untilReadable(descriptor, deadline)) return std::nullopt;
    ssize_t size = read(descriptor, block, sizeof block);
    if (size == 0) return bytes;
    if (size > 0) bytes.append(block, static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR) return std::nullopt;
  }
  return std::nullopt;
}

struct Description {
  std::string version;
  std::vector<std::string> targets;
};

// What went wrong, as the end of a sentence about the program.
std::expected<Description, std::string> parse(const std::string& report) {
  auto words = kj::heapArray<capnp::word>(report.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), report.data(), words.asBytes().size());
  std::expected<Description, std::string> description;
  auto exception = kj::runCatchingExceptions([&] {
    capnp::FlatArrayMessageReader message(words);
    auto reader = message.getRoot<schema::ZygoteReport>();
    if (reader.isFailed()) {
      description = std::unexpected("says: " + std::string(convert::text(reader.getFailed())));
      return;
    }
    auto ready = reader.getReady();
    description->version = convert::text(ready.getVersion());
    for (auto target : ready.getTargets()) description->targets.emplace_back(convert::text(target));
  });
  KJ_IF_MAYBE (some, exception) {
    return std::unexpected(std::string("wrote a report that cannot be read: ") +
                           some->getDescription().cStr());
  }
  if (description && description->version.empty()) return std::unexpected("tells no version");
  return description;
}

std::expected<Description, std::string> ask(const SpawnOrder& order, int pipe, kj::AutoCloseFd pipeOfProgram,
                                            std::chrono::milliseconds limit) {
  auto deadline = Clock::now() + limit;
  auto process = spawn(order);
  if (!process) return std::unexpected("does not run: " + process.error().message);
  pipeOfProgram = nullptr;
  auto report = readAll(pipe, deadline);
  if (!report || !untilReadable(process->pidfd(), deadline)) {
    return std::unexpected("did not finish within " + describeDuration(limit) + " and was stopped");
  }
  auto status = process->reap();
  if (report->empty())
    return std::unexpected(describe(status) + " without a report; kilnd's log has what it wrote");
  return parse(*report);
}

}  // namespace

void describe(Toolchain& toolchain, const std::filesystem::path& usualProgram,
              std::chrono::milliseconds limit) {
  const auto compilerProgram =
      toolchain.program.empty() ? usualProgram : std::filesystem::path(toolchain.program);
  toolchain.name = toolchain.frontend + " " + toolchain.library;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    toolchain.problem = std::string("cannot make a pipe to a compiler process: ") + std::strerror(errno);
    return;
  }
  kj::AutoCloseFd ours(ends[0]);
  kj::AutoCloseFd theirs(ends[1]);
  std::vector<std::string> arguments = {"--describe", toolchain.frontend, toolchain.library};
  arguments.insert(arguments.end(), toolchain.handed.begin(), toolchain.handed.end());
  SpawnOrder order{.program = compilerProgram,
                   .arguments = std::move(arguments),
                   .control = {},
                   .standardOutput = theirs.get()};
  auto description = ask(order, ours, kj::mv(theirs), limit);
  if (!description) {
    toolchain.problem = "'" + compilerProgram.string() + " --describe " + toolchain.frontend + " " +
                        toolchain.library + "' " + description.error();
    return;
  }
  toolchain.version = std::move(description->version);
  toolchain.targets = std::move(description->targets);
  toolchain.name = toolchain.frontend + " " + toolchain.version;
  toolchain.problem.clear();
}

}  // namespace kiln
