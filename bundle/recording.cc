#include "bundle/recording.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "bundle/file.h"
#include "bundle/kernel_name.h"
#include "bundle/utf8.h"
#include "jit/request_hash.h"
#include "jit/role_path.h"
#include "jit/sha256.h"
#include "jit/stand_in_source.h"
#include "recording.capnp.h"
#include "rpc/schema/convert.h"
#include "rpc/schema/recording_files.h"

namespace kiln::bundle {
namespace {

std::string baseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

bool isNameless(const Request& request) {
  return compiledNames(request.names, requestHash(request)).source.starts_with(kStandInDirectory);
}

bool isTemporary(const std::string& path, const Names& names) {
  return !names.temporaryDirectory.empty() && path.starts_with('/') &&
         isBelowOrSame(absolutePath(path, "/"), absolutePath(names.temporaryDirectory, "/"));
}

// What an input with a random name is called.
std::string namelessInput(std::size_t index) {
  return std::string(kTemporaryDirectory) + "/input" + std::to_string(index + 1);
}

// "k.cu: scale<float>, scale<double>"
std::string nameOf(const Request& request, std::vector<std::string> kernels) {
  constexpr std::size_t kMostNamed = 3;
  std::ranges::transform(kernels, kernels.begin(), readableName);
  if (!request.nameExpressions.empty()) kernels = request.nameExpressions;
  std::ranges::sort(kernels);
  std::string named;
  for (std::size_t i = 0; i < std::min(kernels.size(), kMostNamed); ++i)
    named += (i == 0 ? "" : ", ") + kernels[i];
  if (kernels.size() > kMostNamed) named += ", ...";
  const auto source = isNameless(request) ? std::string() : baseName(request.names.source);
  if (source.empty()) return named.empty() ? "a kernel without a name" : named;
  return named.empty() ? source : source + ": " + named;
}

// What of `kernel` is not UTF-8, for a sentence; nothing if a lock can hold it.
std::optional<std::string> unwritable(const LockedKernel& kernel) {
  std::optional<std::string> found;
  const auto check = [&](std::string_view what, const std::string& text) {
    if (!found && !isUtf8(text)) found = std::string(what) + " '" + escapedToUtf8(text) + "'";
  };
  const auto checkAll = [&](std::string_view what, const std::vector<std::string>& texts) {
    for (const auto& text : texts) check(what, text);
  };
  check("the source's name", kernel.names.source);
  check("the working directory", kernel.names.workingDirectory);
  checkAll("the include directory", kernel.names.includeDirectories);
  checkAll("the option", kernel.options);
  checkAll("the name expression", kernel.nameExpressions);
  check("the toolchain", kernel.toolchain);
  checkAll("the toolchain", kernel.toolchains);
  checkAll("the target", kernel.targets);
  check("the virtual architecture", kernel.virtualArchitecture);
  for (const auto& header : kernel.headers) check("the name of the header", header.name);
  for (const auto& input : kernel.inputs) check("the name of the input", input.name);
  for (const auto& file : kernel.files) check("the name of the file", file.path.path);
  return found;
}

// A request as it was recorded.
struct Recorded {
  Request request;
  std::string toolchain;
  std::string servedBy;
  std::uint16_t failure = 0;
  std::vector<std::string> kernels;
  DependencySet dependencies;
  std::string problem;
};

std::optional<Recorded> parse(const std::string& bytes) {
  Recorded recorded;
  auto exception = kj::runCatchingExceptions([&] {
    auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), words.asBytes().size());
    capnp::ReaderOptions limits;
    limits.traversalLimitInWords = 4 * words.size() + 1024;
    capnp::FlatArrayMessageReader message(words, limits);
    const auto root = message.getRoot<schema::RecordedRequest>();
    auto request = convert::read(root.getRequest());
    auto dependencies = convert::read(root.getDependencies());
    recorded.problem = convert::text(root.getProblem());
    if (!request || !dependencies) {
      recorded.request.names = convert::read(root.getRequest().getNames());
      if (recorded.problem.empty())
        recorded.problem = request ? dependencies.error().message : request.error().message;
      return;
    }
    recorded.request = std::move(*request);
    recorded.dependencies = std::move(*dependencies);
    recorded.toolchain = convert::text(root.getToolchain());
    recorded.servedBy = convert::text(root.getServedBy());
    recorded.failure = root.getFailure();
    for (auto kernel : root.getKernels()) recorded.kernels.emplace_back(convert::text(kernel));
  });
  KJ_IF_MAYBE (problem, exception) {
    (void)problem;
    return std::nullopt;
  }
  return recorded;
}

// Makes the lock of a folder.
class Recording {
 public:
  Recording(std::filesystem::path folder, const BlobFolder& blobs)
      : folder_(std::move(folder)), blobs_(blobs) {}

  BundleResult<Lock> lock() {
    const auto requests = filesIn(recording::kRequests);
    if (!requests) return std::unexpected(requests.error());
    const auto contents = filesIn(recording::kContent);
    if (!contents) return std::unexpected(contents.error());
    std::vector<Lock> parts;
    for (const auto& file : *requests) {
      if (file.extension() != recording::kRequestExtension) continue;
      auto part = read(file);
      if (!part) return std::unexpected(std::move(part.error()));
      parts.push_back(std::move(*part));
    }
    if (std::ranges::any_of(*requests, isUnfinished) || std::ranges::any_of(*contents, isUnfinished)) {
      parts.push_back(
          uncaptured("a request", "its process ended while it was written down; record once more"));
    }
    std::error_code error;
    if (std::filesystem::exists(folder_ / recording::kIncomplete, error)) {
      parts.push_back(
          uncaptured("some requests",
                     "libkiln could not write them down; the standard error of the process that made "
                     "them says why"));
    }
    return merged(std::move(parts));
  }

 private:
  // None if the folder is not there: nobody had anything to write.
  [[nodiscard]] BundleResult<std::vector<std::filesystem::path>> filesIn(const char* name) const {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator at(folder_ / name, error), end; !error && at != end;
         at.increment(error)) {
      files.push_back(at->path());
    }
    if (!error || error == std::errc::no_such_file_or_directory) return files;
    return std::unexpected(
        BundleError{"cannot read the recording '" + (folder_ / name).string() + "': " + error.message()});
  }

  // "<digest>.kreq.AbCdEf" or "<digest>.AbCdEf", which nobody renamed.
  static bool isUnfinished(const std::filesystem::path& file) {
    return file.has_extension() && file.extension() != recording::kRequestExtension;
  }

  BundleResult<Lock> read(const std::filesystem::path& file) {
    const auto bytes = readWhole(file, kMaxContentSize, Links::refused);
    auto recorded = bytes ? parse(*bytes) : std::nullopt;
    if (!recorded) {
      return uncaptured(file.filename().string(),
                        bytes ? "its recording is damaged" : "its recording: " + bytes.error().text);
    }
    const auto name = escapedToUtf8(nameOf(recorded->request, recorded->kernels));
    if (!recorded->problem.empty()) return uncaptured(name, recorded->problem);
    auto kernel = kernelOf(*recorded, name);
    if (const auto text = unwritable(kernel)) {
      return uncaptured(name, *text + " is not UTF-8, and a lock holds nothing else; give it another name");
    }
    const auto problem = keepContents(*recorded, kernel);
    if (!problem) return std::unexpected(problem.error());
    if (!problem->empty()) return uncaptured(name, *problem);
    return Lock{{std::move(kernel)}, {}};
  }

  static Lock uncaptured(std::string name, std::string_view reason) {
    return {{}, {{std::move(name), escapedToUtf8(reason)}}};
  }

  // Why a dependency cannot be written down; empty if all can.
  BundleResult<std::string> keepContents(const Recorded& recorded, const LockedKernel& kernel) {
    const auto& request = recorded.request;
    if (auto kept = keep(kernel.source, request.source); !kept) return std::unexpected(kept.error());
    for (const auto& header : request.headers) {
      if (auto kept = keep(sha256(header.content), header.content); !kept)
        return std::unexpected(kept.error());
    }
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      if (auto kept = keep(kernel.inputs[i].sha256, request.inputs[i]); !kept)
        return std::unexpected(kept.error());
    }
    for (const auto& dependency : recorded.dependencies) {
      if (dependency.xxh3.isZero() || kept_.contains(dependency.sha256)) continue;
      const auto content =
          readWhole(folder_ / recording::kContent / dependency.xxh3.hex(), kMaxContentSize, Links::refused);
      if (!content || sha256(*content) != dependency.sha256)
        return "the content of " + describe(dependency.path) + " is not in the recording";
      if (auto kept = keep(dependency.sha256, *content); !kept) return std::unexpected(kept.error());
    }
    return "";
  }

  BundleResult<void> keep(const Sha256& digest, const std::string& content) {
    if (kept_.contains(digest)) return {};
    auto added = blobs_.add(digest, content);
    if (added) kept_.insert(digest);
    return added;
  }

  static LockedKernel kernelOf(const Recorded& recorded, std::string name) {
    const auto& request = recorded.request;
    LockedKernel kernel;
    kernel.name = std::move(name);
    kernel.language = request.language;
    kernel.targets = {request.target.name};
    if (recorded.failure != 0) kernel.failsFor = kernel.targets;
    if (!recorded.servedBy.empty()) kernel.toolchains = {recorded.servedBy};
    kernel.toolchain = recorded.toolchain;
    kernel.names = request.names;
    kernel.names.temporaryDirectory = isNameless(request) ? kTemporaryDirectory : "";
    if (isNameless(request)) kernel.names.source = kNameless;
    kernel.options = request.options;
    kernel.nameExpressions = request.nameExpressions;
    std::ranges::sort(kernel.nameExpressions);
    if (request.outputs != std::vector{usualOutput(request.target)}) kernel.outputs = request.outputs;
    if (request.virtualArchitecture) kernel.virtualArchitecture = request.virtualArchitecture->name;
    kernel.timestamp = request.timestamp;
    kernel.files = recorded.dependencies;
    for (auto& file : kernel.files) file.xxh3 = {};
    kernel.source = sha256(request.source);
    for (const auto& header : request.headers)
      kernel.headers.push_back({header.name, sha256(header.content)});
    std::ranges::sort(kernel.headers);
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      auto& input = kernel.names.inputs[i];
      if (isTemporary(input, request.names)) input = namelessInput(i);
      kernel.inputs.push_back({input, sha256(request.inputs[i])});
    }
    return kernel;
  }

  const std::filesystem::path folder_;
  const BlobFolder& blobs_;
  std::set<Sha256> kept_;
};

}  // namespace

BundleResult<Lock> lockOf(const std::filesystem::path& folder, const BlobFolder& blobs) {
  return Recording(folder, blobs).lock();
}

}  // namespace kiln::bundle
