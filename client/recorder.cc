#include "client/recorder.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fcntl.h>
#include <kj/io.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "jit/role_path.h"
#include "recording.capnp.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

constexpr const char* kVariable = "KILN_RECORD";

void complain(const std::filesystem::path& file, int error) {
  static std::atomic_flag hasComplained;
  if (hasComplained.test_and_set()) return;
  std::fprintf(stderr, "libkiln: cannot record into '%s': %s; the recording is not complete\n", file.c_str(),
               std::strerror(error));
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

// Why what came of a request is nothing to build from; empty if it is.
std::string problemOf(const Reached<Reply>& reply) {
  if (!reply) return reply.error().message;
  if (!reply->failure || isDeterministic(reply->failure->kind)) return {};
  return std::string(name(reply->failure->kind)) + ": " + reply->failure->message;
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

void Recorder::note(const Request& request, const CompileOptions& options, const Reached<Reply>& reply,
                    const FileView& files) const {
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
  const auto words = capnp::messageToFlatArray(message);
  const std::string_view bytes(reinterpret_cast<const char*>(words.begin()), words.asBytes().size());
  write(folder_ / "requests" / (xxh3(bytes).hex() + ".kreq"), bytes);
}

// What kept the content from being kept; empty if nothing did.
std::string Recorder::keepContent(const Dependency& dependency, const std::string& path,
                                  const FileView& files) const {
  if (!hasContent(dependency)) return {};
  const auto file = folder_ / "content" / dependency.xxh3.hex();
  struct stat status;
  if (::stat(file.c_str(), &status) == 0) return {};
  const auto content = contentOf(dependency.kind, path, files);
  if (!content || xxh3(*content) != dependency.xxh3) {
    return "'" + path + "' changed while the request was recorded; record once more";
  }
  write(file, *content);
  return {};
}

void Recorder::write(const std::filesystem::path& file, std::string_view bytes) const {
  struct stat status;
  if (::stat(file.c_str(), &status) == 0) return;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  auto unfinished = file.string() + ".XXXXXX";
  const kj::AutoCloseFd descriptor(::mkostemp(unfinished.data(), O_CLOEXEC));
  if (descriptor.get() < 0) return complain(file, errno);
  while (!bytes.empty()) {
    const auto written = ::write(descriptor.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int problem = errno;
      ::unlink(unfinished.c_str());
      return complain(file, problem);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::rename(unfinished.c_str(), file.c_str()) != 0) {
    const int problem = errno;
    ::unlink(unfinished.c_str());
    complain(file, problem);
  }
}

}  // namespace kiln::client
