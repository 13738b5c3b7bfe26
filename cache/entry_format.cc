#include "cache/entry_format.h"

#include "cache/dependency_format.h"

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KENT";

enum Section : std::uint16_t {
  kIdentity = 1,
  kToolchain = 2,
  kNames = 3,
  kDependencies = 4,
  kArtifact = 5,
  kFailure = 6,
  kCompile = 7,
};

void writeResources(ByteWriter& out, const ResourceUsage& usage) {
  out.count(usage.kernels.size());
  for (const auto& kernel : usage.kernels) {
    out.text(kernel.kernel);
    out.count(kernel.figures.size());
    for (auto [resource, amount] : kernel.figures) {
      out.u16(static_cast<std::uint16_t>(resource));
      out.u32(amount);
    }
  }
  out.text(usage.problem);
}

ResourceUsage readResources(ByteReader& in) {
  ResourceUsage usage;
  usage.kernels.resize(in.count(4 + 4));
  for (auto& kernel : usage.kernels) {
    kernel.kernel = in.text();
    for (auto count = in.count(2 + 4); count > 0 && !in.failed(); --count) {
      auto resource = resourceFromNumber(in.u16());
      auto amount = in.u32();
      auto& figures = kernel.figures;
      if (resource && (figures.empty() || figures.rbegin()->first < *resource)) {
        figures.emplace_hint(figures.end(), *resource, amount);
      } else {
        in.fail();
      }
    }
  }
  usage.problem = in.text();
  return usage;
}

void writeArtifact(ByteWriter& out, const Artifact& artifact) {
  out.count(artifact.outputs.size());
  for (const auto& output : artifact.outputs) {
    out.u16(static_cast<std::uint16_t>(output.kind));
    out.raw(output.sha256.view());
    out.text(output.bytes);
  }
  out.text(artifact.log);
  out.count(artifact.loweredNames.size());
  for (const auto& name : artifact.loweredNames) {
    out.text(name.expression);
    out.text(name.lowered);
  }
  writeResources(out, artifact.resources);
}

Artifact readArtifact(ByteReader& in) {
  Artifact artifact;
  artifact.outputs.resize(in.count(2 + Sha256::kSize + 4));
  for (auto& output : artifact.outputs) {
    auto kind = outputKindFromNumber(in.u16());
    if (!kind) in.fail();
    output.kind = kind.value_or(OutputKind::cubin);
    output.sha256 = in.digest<Sha256::kSize>();
    output.bytes = in.text();
  }
  artifact.log = in.text();
  artifact.loweredNames.resize(in.count(4 + 4));
  for (auto& name : artifact.loweredNames) {
    name.expression = in.text();
    name.lowered = in.text();
  }
  artifact.resources = readResources(in);
  return artifact;
}

Failure readFailure(ByteReader& in) {
  auto kind = failureKindFromNumber(in.u16());
  if (!kind) in.fail();
  Failure failure{kind.value_or(FailureKind::internal), in.text()};
  failure.log = in.text();
  return failure;
}

void readIdentity(ByteReader& in, Entry& entry) {
  entry.key = in.digest<EntryKey::kSize>();
  entry.domain = in.text();
  entry.requestHash = in.digest<Hash128::kSize>();
  entry.requestSha256 = in.digest<Sha256::kSize>();
}

void readNames(ByteReader& in, Entry& entry) {
  entry.names.source = in.text();
  entry.names.workingDirectory = in.text();
  entry.names.includeDirectories.resize(in.count(4));
  for (auto& directory : entry.names.includeDirectories) directory = in.text();
  auto bind = in.u8();
  if (bind > 1) in.fail();
  entry.namesBind = bind == 1;
}

bool readResult(const RecordReader& record, Entry& entry) {
  if (record.has(kArtifact) == record.has(kFailure)) return false;
  if (record.has(kArtifact)) {
    return record.section(kArtifact, [&](ByteReader& in) { entry.result = readArtifact(in); });
  }
  return record.section(kFailure, [&](ByteReader& in) { entry.result = readFailure(in); });
}

}  // namespace

std::string encodeEntry(const Entry& entry) {
  RecordWriter record(kMagic, kEntryFormatVersion);
  record.section(kIdentity, [&](ByteWriter& out) {
    out.raw(entry.key.view());
    out.text(entry.domain);
    out.raw(entry.requestHash.view());
    out.raw(entry.requestSha256.view());
  });
  record.section(kToolchain, [&](ByteWriter& out) {
    out.raw(entry.toolchainIdentity.view());
    out.text(entry.toolchainName);
  });
  record.section(kNames, [&](ByteWriter& out) {
    out.text(entry.names.source);
    out.text(entry.names.workingDirectory);
    out.count(entry.names.includeDirectories.size());
    for (const auto& directory : entry.names.includeDirectories) out.text(directory);
    out.u8(entry.namesBind ? 1 : 0);
  });
  record.section(kDependencies, [&](ByteWriter& out) { writeDependencies(out, entry.dependencies); });
  if (const auto* artifact = std::get_if<Artifact>(&entry.result)) {
    record.section(kArtifact, [&](ByteWriter& out) { writeArtifact(out, *artifact); });
  } else {
    const auto& failure = std::get<Failure>(entry.result);
    record.section(kFailure, [&](ByteWriter& out) {
      out.u16(static_cast<std::uint16_t>(failure.kind));
      out.text(failure.message);
      out.text(failure.log);
    });
  }
  record.section(kCompile, [&](ByteWriter& out) {
    out.f64(entry.compileMilliseconds);
    out.u64(entry.createdAt);
  });
  return record.finish();
}

std::expected<Entry, ParseError> parseEntry(Bytes bytes) {
  auto record = RecordReader::open(bytes, kMagic, kEntryFormatVersion);
  if (!record) return std::unexpected(std::move(record.error()));
  Entry entry;
  bool good = record->section(kIdentity, [&](ByteReader& in) { readIdentity(in, entry); }) &&
              record->section(kToolchain,
                              [&](ByteReader& in) {
                                entry.toolchainIdentity = in.digest<Sha256::kSize>();
                                entry.toolchainName = in.text();
                              }) &&
              record->section(kNames, [&](ByteReader& in) { readNames(in, entry); }) &&
              record->section(kDependencies,
                              [&](ByteReader& in) {
                                auto directories = entry.names.includeDirectories.size();
                                entry.dependencies =
                                    readDependencies(in, static_cast<std::uint32_t>(directories));
                              }) &&
              readResult(*record, entry) && record->section(kCompile, [&](ByteReader& in) {
                entry.compileMilliseconds = in.f64();
                entry.createdAt = in.u64();
              });
  if (!good) return std::unexpected(ParseError{"a section of the entry is missing or damaged"});
  if (entryKey(entry) != entry.key) {
    return std::unexpected(ParseError{"the entry's key is not the key of its content"});
  }
  return entry;
}

}  // namespace kiln
