#include "bundle/bundle.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>
#include <expected>
#include <utility>

#include "bundle.capnp.h"
#include "bundle/problem.h"
#include "jit/sha256.h"
#include "rpc/schema/convert.h"

namespace kiln::bundle {
namespace {

void write(schema::BundledEntry::Builder builder, const BundledEntry& entry) {
  convert::write(builder.initRequest(), entry.request);
  builder.setToolchain(convert::toText(entry.toolchainName));
  builder.setToolchainIdentity(convert::toData(entry.toolchainIdentity.view()));
  convert::write(builder.initDependencies(entry.dependencies.size()), entry.dependencies);
  builder.setNamesBind(entry.namesBind);
  if (const auto* artifact = std::get_if<Artifact>(&entry.result)) {
    convert::write(builder.initArtifact(), *artifact);
  } else {
    convert::write(builder.initFailure(), std::get<Failure>(entry.result));
  }
}

// What is wrong, as the end of a sentence about the entry.
std::expected<std::variant<Artifact, Failure>, std::string> readResult(schema::BundledEntry::Reader reader,
                                                                       const Request& request) {
  if (reader.isFailure()) {
    auto failure = convert::read(reader.getFailure());
    if (!isDeterministic(failure.kind)) return std::unexpected("is a failure that no store keeps");
    return failure;
  }
  auto artifact = convert::read(reader.getArtifact());
  if (!artifact) return std::unexpected("cannot be read: " + artifact.error().message);
  std::vector<OutputKind> kinds;
  for (const auto& output : artifact->outputs) {
    kinds.push_back(output.kind);
    if (sha256(output.bytes) != output.sha256)
      return std::unexpected("has an output that is not what its SHA-256 says");
  }
  if (kinds != request.outputs) return std::unexpected("has other outputs than its request asks for");
  return std::move(*artifact);
}

std::expected<BundledEntry, std::string> read(schema::BundledEntry::Reader reader) {
  BundledEntry entry;
  auto request = convert::read(reader.getRequest());
  if (!request) return std::unexpected("has a request that cannot be read: " + request.error().message);
  entry.request = std::move(*request);
  entry.toolchainName = convert::text(reader.getToolchain());
  const auto identity = Sha256::fromBytes(convert::bytes(reader.getToolchainIdentity()));
  if (!identity) return std::unexpected("does not say by which toolchain it was compiled");
  entry.toolchainIdentity = *identity;
  auto dependencies = convert::read(reader.getDependencies());
  if (!dependencies)
    return std::unexpected("has dependencies that cannot be read: " + dependencies.error().message);
  entry.dependencies = std::move(*dependencies);
  entry.namesBind = reader.getNamesBind();
  auto result = readResult(reader, entry.request);
  if (!result) return std::unexpected(std::move(result.error()));
  entry.result = std::move(*result);
  return entry;
}

// The bytes as words, in `copy` unless they lie where words may.
kj::ArrayPtr<const capnp::word> alignedWords(std::string_view bytes, kj::Array<capnp::word>& copy) {
  const auto count = bytes.size() / sizeof(capnp::word);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(capnp::word) == 0) {
    return {reinterpret_cast<const capnp::word*>(bytes.data()), count};
  }
  copy = kj::heapArray<capnp::word>(count);
  std::memcpy(copy.begin(), bytes.data(), bytes.size());
  return copy;
}

BundleResult<BundledKernel> readKernel(schema::BundledKernel::Reader reader, const std::string& what) {
  if (reader.getVersion() != kKernelVersion) {
    return std::unexpected(BundleError{what + " is of version " + std::to_string(reader.getVersion()) +
                                       ", and this kiln reads " + std::to_string(kKernelVersion) +
                                       "; use a newer kiln"});
  }
  BundledKernel kernel;
  kernel.name = convert::text(reader.getName());
  const auto identity = Sha256::fromBytes(convert::bytes(reader.getIdentity()));
  if (!identity)
    return std::unexpected(
        BundleError{printable(kernel.name) + " in " + what + " has no identity; build the bundle anew"});
  kernel.identity = *identity;
  for (const auto one : reader.getEntries()) {
    auto entry = read(one);
    if (!entry) {
      return std::unexpected(BundleError{"an entry of " + printable(kernel.name) + " in " + what + " " +
                                         entry.error() + "; build the bundle anew"});
    }
    kernel.entries.push_back(std::move(*entry));
  }
  return kernel;
}

}  // namespace

std::string encodeKernel(const BundledKernel& kernel) {
  capnp::MallocMessageBuilder message;
  auto builder = message.initRoot<schema::BundledKernel>();
  builder.setVersion(kKernelVersion);
  builder.setName(convert::toText(kernel.name));
  builder.setIdentity(convert::toData(kernel.identity.view()));
  auto entries = builder.initEntries(kernel.entries.size());
  for (unsigned i = 0; i < entries.size(); ++i) write(entries[i], kernel.entries[i]);
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

BundleResult<BundledKernel> parseKernel(std::string_view bytes, const std::string& what) {
  BundleResult<BundledKernel> kernel;
  auto exception = kj::runCatchingExceptions([&] {
    KJ_REQUIRE(bytes.size() % sizeof(capnp::word) == 0, "it is cut off");
    kj::Array<capnp::word> copy;
    const auto words = alignedWords(bytes, copy);
    capnp::ReaderOptions limits;
    // What is read is copied once or twice; a message that points at one part many times is refused.
    limits.traversalLimitInWords = 4 * words.size() + 1024;
    capnp::FlatArrayMessageReader message(words, limits);
    kernel = readKernel(message.getRoot<schema::BundledKernel>(), what);
  });
  KJ_IF_MAYBE (problem, exception) {
    return std::unexpected(
        BundleError{what + " is no kernel of a bundle: " + problem->getDescription().cStr()});
  }
  return kernel;
}

}  // namespace kiln::bundle
