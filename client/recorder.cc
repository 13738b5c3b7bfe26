#include "client/recorder.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <system_error>

#include "jit/role_path.h"
#include "recording.capnp.h"
#include "rpc/schema/convert.h"
#include "rpc/schema/recording_files.h"

namespace kiln::client {
namespace {

constexpr const char* kVariable = "KILN_RECORD";

// That a request is lost. Needs neither memory nor a descriptor, which may be what there is none of.
void lose(const std::filesystem::path& marker, const char* why) noexcept {
  ::mknod(marker.c_str(), S_IFREG | 0600, 0);
  static std::atomic_flag hasComplained;
  if (hasComplained.test_and_set()) return;
  std::fprintf(stderr, "libkiln: cannot record into '%s': %s; the recording is not complete\n",
               marker.parent_path().c_str(), why);
}

// Does `work`, and takes whatever it throws for a request that is lost.
template <typename Work>
void recordOrLose(const std::filesystem::path& marker, const Work& work) noexcept {
  try {
    work();
  } catch (const std::exception& error) {
    lose(marker, error.what());
  } catch (...) {
    lose(marker, "an unknown error");
  }
}

[[noreturn]] void failToWrite(const std::string& file, int error) {
  throw std::system_error(error, std::generic_category(), "cannot write '" + file + "'");
}

int writeAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool isThere(const std::filesystem::path& file) {
  struct stat status;
  return ::stat(file.c_str(), &status) == 0;
}

// Makes the folder, and no other above it. Throws std::system_error.
void write(const std::filesystem::path& folder, const std::string& name, std::string_view bytes) {
  const auto file = folder / name;
  if (isThere(file)) return;
  ::mkdir(folder.c_str(), 0777);
  auto unfinished = file.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(unfinished.data(), O_CLOEXEC);
  if (descriptor < 0) failToWrite(file, errno);
  int problem = writeAll(descriptor, bytes);
  // Some file systems tell only now that a write failed.
  if (::close(descriptor) != 0 && problem == 0) problem = errno;
  if (problem == 0 && ::rename(unfinished.c_str(), file.c_str()) != 0) problem = errno;
  if (problem == 0) return;
  ::unlink(unfinished.c_str());
  failToWrite(file, problem);
}

// The text that the digest of a dependency covers; nothing if what is there is of another kind now.
std::optional<std::string> contentOf(FileKind kind, const std::string& path, const FileView& files) {
  using Kind = FileAnswer::Kind;
  switch (kind) {
    case FileKind::file: {
      auto answer = files.look(path);
      if (answer.kind == Kind::file) return std::move(answer.text);
      return std::nullopt;
    }
    case FileKind::listing: {
      auto answer = files.list(path);
      if (answer.kind == Kind::listing) return listingText(std::move(answer.names));
      return std::nullopt;
    }
    case FileKind::link:
    case FileKind::resolved: {
      auto answer = kind == FileKind::link ? files.readLink(path) : files.resolve(path);
      if (answer.kind == Kind::text) return std::move(answer.text);
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

bool hasContent(const Dependency& dependency) { return !dependency.xxh3.isZero(); }

std::string problemOf(const Failure& failure) {
  return std::string(name(failure.kind)) + ": " + failure.message;
}

// Why what came of a request is nothing to build from; empty if it is.
std::string problemOf(const Reached<Reply>& reply) {
  if (!reply) return reply.error().message;
  if (!reply->failure || isDeterministic(reply->failure->kind)) return {};
  return problemOf(*reply->failure);
}

void fill(schema::RecordedRequest::Builder builder, const Request& request, const CompileOptions& options,
          const Reached<Reply>& reply) {
  convert::write(builder.initRequest(), request);
  builder.setToolchain(convert::toText(options.toolchain));
  if (!reply) return;
  // The toolchains of two stages have one name together, of which the first decides the others.
  builder.setServedBy(convert::toText(reply->toolchain));
  if (reply->failure) builder.setFailure(static_cast<std::uint16_t>(reply->failure->kind));
  auto kernels = builder.initKernels(reply->resources.kernels.size());
  for (unsigned i = 0; i < kernels.size(); ++i) {
    kernels.set(i, convert::toText(reply->resources.kernels[i].kernel));
  }
  convert::write(builder.initDependencies(reply->dependencies->size()), *reply->dependencies);
}

}  // namespace

std::optional<Recorder> Recorder::fromEnvironment() {
  const char* folder = std::getenv(kVariable);
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  return Recorder(folder);
}

Recorder::Recorder(const std::filesystem::path& folder)
    : requests_(folder / recording::kRequests),
      contents_(folder / recording::kContent),
      incomplete_(folder / recording::kIncomplete) {}

void Recorder::note(const Request& request, const CompileOptions& options, const Reached<Reply>& reply,
                    const FileView& files) const noexcept {
  recordOrLose(incomplete_, [&] {
    capnp::MallocMessageBuilder message;
    auto builder = message.initRoot<schema::RecordedRequest>();
    fill(builder, request, options, reply);
    auto problem = problemOf(reply);
    if (reply) {
      const auto directories = roleDirectories(request.names);
      for (const auto& dependency : *reply->dependencies) {
        if (!problem.empty()) break;
        problem = keepContent(dependency, resolve(dependency.path, directories), files);
      }
    }
    builder.setProblem(convert::toText(problem));
    keepRequest(message);
  });
}

void Recorder::noteRefused(const Request& request, const CompileOptions& options,
                           const Failure& failure) const noexcept {
  recordOrLose(incomplete_, [&] {
    capnp::MallocMessageBuilder message;
    auto builder = message.initRoot<schema::RecordedRequest>();
    convert::write(builder.initRequest(), request);
    builder.setToolchain(convert::toText(options.toolchain));
    builder.setFailure(static_cast<std::uint16_t>(failure.kind));
    builder.setProblem(convert::toText(problemOf(failure)));
    keepRequest(message);
  });
}

// What kept the content from being kept; empty if nothing did.
std::string Recorder::keepContent(const Dependency& dependency, const std::string& path,
                                  const FileView& files) const {
  if (!hasContent(dependency) || isThere(contents_ / dependency.xxh3.hex())) return {};
  const auto content = contentOf(dependency.kind, path, files);
  if (!content || xxh3(*content) != dependency.xxh3) {
    return "'" + path + "' changed while the request was recorded; record once more";
  }
  write(contents_, dependency.xxh3.hex(), *content);
  return {};
}

void Recorder::keepRequest(capnp::MessageBuilder& message) const {
  const auto words = capnp::messageToFlatArray(message);
  const std::string_view bytes(reinterpret_cast<const char*>(words.begin()), words.asBytes().size());
  write(requests_, xxh3(bytes).hex() + recording::kRequestExtension, bytes);
}

}  // namespace kiln::client
