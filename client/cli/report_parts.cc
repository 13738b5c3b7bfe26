#include "client/cli/report_parts.h"

namespace kiln::cli {
namespace {

template <std::size_t N>
Cell digestCell(const Digest<N>& digest) {
  if (digest.isZero()) return Absent{};
  return digest.hex();
}

}  // namespace

std::string_view name(FileKind kind) {
  switch (kind) {
    case FileKind::absent:
      return "absent";
    case FileKind::file:
      return "file";
    case FileKind::directory:
      return "directory";
    case FileKind::listing:
      return "listing";
    case FileKind::link:
      return "link";
    case FileKind::resolved:
      return "resolved";
    case FileKind::other:
      return "other";
  }
  return "unknown";
}

Report::Record failureRecord(const Failure& failure) {
  return {{"kind", std::string(name(failure.kind))}, {"message", failure.message}};
}

Report::Table loweredNameTable(const std::vector<LoweredName>& names) {
  Report::Table table{{"expression", "lowered"}, {}};
  for (const auto& lowered : names) table.rows.push_back({lowered.expression, lowered.lowered});
  return table;
}

Report::Table dependencyTable(const DependencySet& dependencies) {
  Report::Table table{
      {"kind", "bytes", "sha256", {"xxh3", Shown::inJsonOnly}, {"file_number", Shown::inJsonOnly}, "path"},
      {}};
  for (const auto& dependency : dependencies) {
    auto ofFile = [&](std::uint64_t number) -> Cell {
      if (dependency.kind == FileKind::file) return number;
      return Absent{};
    };
    table.rows.push_back({std::string(name(dependency.kind)), ofFile(dependency.size),
                          digestCell(dependency.sha256), digestCell(dependency.xxh3),
                          ofFile(dependency.fileNumber), describe(dependency.path)});
  }
  return table;
}

}  // namespace kiln::cli
