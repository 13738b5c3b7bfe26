#include "bundle/recording.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "jit/request_hash.h"
#include "jit/sha256.h"
#include "jit/stand_in_source.h"
#include "recording.capnp.h"
#include "rpc/schema/convert.h"

namespace kiln::bundle {
namespace {

std::optional<std::string> readFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) return std::nullopt;
  return content;
}

// TOML holds UTF-8 alone.
bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80       ? 1
                               : first >> 5 == 6  ? 2
                               : first >> 4 == 14 ? 3
                               : first >> 3 == 30 ? 4
                                                  : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string baseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

bool isNameless(const Request& request) {
  return compiledNames(request.names, requestHash(request)).source.starts_with(kStandInDirectory);
}

// "_Z5scaleIfEvPf" is "scale<float>" to people.
std::string readable(const std::string& kernel) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> whole(
      abi::__cxa_demangle(kernel.c_str(), nullptr, nullptr, &status), &std::free);
  if (whole == nullptr) return kernel;
  std::string text = whole.get();
  constexpr std::string_view kVoid = "void ";
  if (text.starts_with(kVoid)) text.erase(0, kVoid.size());
  return text.substr(0, text.find('('));
}

// "k.cu: scale<float>, scale<double>"
std::string nameOf(const Request& request, std::vector<std::string> kernels) {
  constexpr std::size_t kMostNamed = 3;
  std::ranges::transform(kernels, kernels.begin(), readable);
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
    if (!request || !dependencies) {
      recorded.problem = request ? dependencies.error().message : request.error().message;
      return;
    }
    recorded.request = std::move(*request);
    recorded.dependencies = std::move(*dependencies);
    recorded.toolchain = convert::text(root.getToolchain());
    recorded.servedBy = convert::text(root.getServedBy());
    recorded.failure = root.getFailure();
    for (auto kernel : root.getKernels()) recorded.kernels.emplace_back(convert::text(kernel));
    recorded.problem = convert::text(root.getProblem());
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
    std::error_code error;
    std::vector<Lock> parts;
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "requests", error)) {
      if (file.path().extension() != ".kreq") continue;
      auto part = read(file.path());
      if (!part) return std::unexpected(std::move(part.error()));
      parts.push_back(std::move(*part));
    }
    return merged(std::move(parts));
  }

 private:
  BundleResult<Lock> read(const std::filesystem::path& file) {
    const auto bytes = readFile(file);
    auto recorded = bytes ? parse(*bytes) : std::nullopt;
    if (!recorded) return uncaptured(file.filename().string(), "its recording cannot be read");
    const auto name = nameOf(recorded->request, recorded->kernels);
    if (!recorded->problem.empty()) return uncaptured(name, recorded->problem);
    if (auto problem = keepContents(*recorded); !problem)
      return std::unexpected(std::move(problem.error()));
    else if (!problem->empty())
      return uncaptured(name, *problem);
    auto kernel = kernelOf(*recorded, name);
    if (!kernel) return std::unexpected(std::move(kernel.error()));
    return Lock{{std::move(*kernel)}, {}};
  }

  static Lock uncaptured(std::string name, std::string reason) {
    return {{}, {{std::move(name), std::move(reason)}}};
  }

  // Why a dependency cannot be written down; empty if all can.
  BundleResult<std::string> keepContents(const Recorded& recorded) {
    for (const auto& dependency : recorded.dependencies) {
      if (!isUtf8(dependency.path.path)) return "the name of a file that it depends on is not UTF-8";
      if (dependency.xxh3.isZero() || !kept_.insert(dependency.sha256).second) continue;
      const auto content = readFile(folder_ / "content" / dependency.xxh3.hex());
      if (!content || sha256(*content) != dependency.sha256) {
        kept_.erase(dependency.sha256);
        return "the content of " + describe(dependency.path) + " is not in the recording";
      }
      if (auto added = blobs_.add(dependency.sha256, *content); !added)
        return std::unexpected(std::move(added.error()));
    }
    return "";
  }

  BundleResult<Sha256> keep(const std::string& text) {
    const auto digest = sha256(text);
    if (auto added = blobs_.add(digest, text); !added) return std::unexpected(std::move(added.error()));
    return digest;
  }

  BundleResult<LockedKernel> kernelOf(Recorded& recorded, std::string name) {
    auto& request = recorded.request;
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
    kernel.files = std::move(recorded.dependencies);
    for (auto& file : kernel.files) file.xxh3 = {};
    auto source = keep(request.source);
    if (!source) return std::unexpected(std::move(source.error()));
    kernel.source = *source;
    for (const auto& header : request.headers) {
      auto digest = keep(header.content);
      if (!digest) return std::unexpected(std::move(digest.error()));
      kernel.headers.push_back({header.name, *digest});
    }
    std::ranges::sort(kernel.headers);
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      auto digest = keep(request.inputs[i]);
      if (!digest) return std::unexpected(std::move(digest.error()));
      kernel.inputs.push_back({request.names.inputs[i], *digest});
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
