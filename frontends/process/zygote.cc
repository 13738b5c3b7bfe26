#include "frontends/process/zygote.h"

#include <capnp/serialize.h>
#include <linux/sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "compiler.capnp.h"
#include "frontends/process/job.h"
#include "frontends/process/message_io.h"
#include "frontends/process/process_setup.h"
#include "frontends/process/raw_calls.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

void reportState(const std::expected<LoadedToolchain, Failure>& toolchain,
                 schema::ZygoteReport::Builder report) {
  if (!toolchain) return report.setFailed(convert::toText(toolchain.error().message));
  report.initReady().setVersion(toolchain->compiler->version());
}

// The same with the targets, or why they cannot be told.
void describe(const std::expected<LoadedToolchain, Failure>& toolchain,
              schema::ZygoteReport::Builder report) {
  reportState(toolchain, report);
  if (!toolchain) return;
  const auto targets = toolchain->compiler->targets();
  if (!targets) return report.setFailed(convert::toText(targets.error().message));
  auto list = report.getReady().initTargets(static_cast<unsigned>(targets->size()));
  for (unsigned i = 0; i < targets->size(); ++i) list.set(i, convert::toText((*targets)[i]));
}

// A copy of this process whose parent is this process's parent. fork() cannot do that; what it does beyond
// the system call is for processes with threads. Returns 0 in the child, negative errno on failure.
long cloneSibling(int& pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  // exit_signal must be 0 with CLONE_PARENT: the child takes the zygote's own.
  return raw::call(SYS_clone3, &arguments, sizeof arguments);
}

[[noreturn]] void liveAsChild(int control, int jobSocket, pid_t kilnd, LoadedToolchain& toolchain) {
  dieWith(kilnd);
  ::close(control);
  ::_exit(runJob(jobSocket, toolchain));
}

// Carries out one order and reports; false if kilnd is gone.
bool cloneFor(std::uint64_t job, int jobSocket, int control, pid_t kilnd, LoadedToolchain& toolchain) {
  int pidfd = -1;
  long child = cloneSibling(pidfd);
  if (child == 0) liveAsChild(control, jobSocket, kilnd, toolchain);

  capnp::MallocMessageBuilder message;
  auto report = message.initRoot<schema::ZygoteReport>();
  if (child < 0) {
    auto failed = report.initCloneFailed();
    failed.setJob(job);
    failed.setMessage(std::string("cannot clone a compiler process: ") +
                      std::strerror(static_cast<int>(-child)));
  } else {
    auto cloned = report.initCloned();
    cloned.setJob(job);
    cloned.setProcessId(static_cast<std::uint32_t>(child));
  }
  bool delivered = sendPacket(control, message, pidfd).has_value();
  ::close(jobSocket);
  if (pidfd >= 0) ::close(pidfd);
  return delivered;
}

int complain(const std::string& what) {
  std::fprintf(stderr, "kiln-compiler: the control socket (descriptor 3) failed: %s\n", what.c_str());
  return 1;
}

}  // namespace

int runZygote(int control, std::expected<LoadedToolchain, Failure> toolchain) {
  const pid_t kilnd = ::getppid();
  capnp::MallocMessageBuilder message;
  reportState(toolchain, message.initRoot<schema::ZygoteReport>());
  if (auto sent = sendPacket(control, message); !sent) return complain(sent.error());
  if (!toolchain) return 1;

  while (true) {
    auto packet = receivePacket(control);
    if (!packet) return complain(packet.error());
    if (!*packet) return 0;
    if ((*packet)->descriptor < 0) return complain("an order came without a job socket");
    capnp::FlatArrayMessageReader reader((*packet)->words);
    auto job = reader.getRoot<schema::CloneOrder>().getJob();
    if (!cloneFor(job, (*packet)->descriptor, control, kilnd, *toolchain)) return 0;
  }
}

int writeDescription(int output, const std::expected<LoadedToolchain, Failure>& toolchain) {
  capnp::MallocMessageBuilder message;
  describe(toolchain, message.initRoot<schema::ZygoteReport>());
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asBytes();
  for (std::size_t written = 0; written < bytes.size();) {
    ssize_t count = ::write(output, bytes.begin() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return 1;
    written += static_cast<std::size_t>(count);
  }
  return message.getRoot<schema::ZygoteReport>().isReady() ? 0 : 1;
}

}  // namespace kiln
