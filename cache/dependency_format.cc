#include "cache/dependency_format.h"

namespace kiln {
namespace {

constexpr std::size_t kMinimumSize = 1 + 4 + 4 + 1 + 8 + Hash128::kSize + Sha256::kSize + 4;

bool isKnown(FileRole role) { return role >= FileRole::includeDirectory && role <= FileRole::absolute; }
bool isKnown(FileKind kind) { return kind >= FileKind::absent && kind <= FileKind::other; }

}  // namespace

void writeDependencies(ByteWriter& out, const DependencySet& dependencies) {
  out.count(dependencies.size());
  for (const auto& dependency : dependencies) {
    out.u8(static_cast<std::uint8_t>(dependency.path.role));
    out.u32(dependency.path.index);
    out.text(dependency.path.path);
    out.u8(static_cast<std::uint8_t>(dependency.kind));
    out.u64(dependency.size);
    out.raw(dependency.xxh3.view());
    out.raw(dependency.sha256.view());
    out.u32(dependency.fileNumber);
  }
}

DependencySet readDependencies(ByteReader& in, std::uint32_t includeDirectories) {
  auto count = in.count(kMinimumSize);
  DependencySet dependencies;
  dependencies.reserve(count);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    Dependency dependency;
    dependency.path.role = static_cast<FileRole>(in.u8());
    dependency.path.index = in.u32();
    dependency.path.path = in.text();
    dependency.kind = static_cast<FileKind>(in.u8());
    dependency.size = in.u64();
    dependency.xxh3 = in.digest<Hash128::kSize>();
    dependency.sha256 = in.digest<Sha256::kSize>();
    dependency.fileNumber = in.u32();
    auto indexes = dependency.path.role == FileRole::includeDirectory ? includeDirectories : 1;
    if (!isKnown(dependency.path.role) || !isKnown(dependency.kind) || dependency.path.index >= indexes ||
        dependency.fileNumber > count) {
      in.fail();
    }
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

}  // namespace kiln
