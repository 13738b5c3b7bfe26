#include "client/cli/report_parts.h"

namespace kiln::cli {
namespace {

template <std::size_t N>
Cell digestCell(const Digest<N>& digest) {
  if (digest.isZero()) return Absent{};
  return digest.hex();
}

Cell figureCell(Resource resource, std::uint32_t amount) {
  if (resource == Resource::dynamicStack) return amount != 0;
  return std::uint64_t{amount};
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

List shortNames(const std::set<std::string>& targets) {
  List names;
  for (const auto& text : targets) {
    const auto target = parseTarget(text);
    names.push_back(target ? shortName(*target) : text);
  }
  return names;
}

Report::Table uncapturedTable(const std::vector<bundle::Uncaptured>& uncaptured) {
  Report::Table table{{"request", "reason"}, {}};
  for (const auto& one : uncaptured) table.rows.push_back({one.name, one.reason});
  return table;
}

Report::Record failureRecord(const Failure& failure) {
  return {{"kind", std::string(name(failure.kind))}, {"message", failure.message}};
}

Report::Table loweredNameTable(const std::vector<LoweredName>& names) {
  Report::Table table{{"expression", "lowered"}, {}};
  for (const auto& lowered : names) table.rows.push_back({lowered.expression, lowered.lowered});
  return table;
}

Report::Table resourceTable(const ResourceUsage& usage) {
  Report::Table table{{}, std::vector<std::vector<Cell>>(usage.kernels.size())};
  for (const auto& [resource, columnName] : kResources) {
    auto shown = Shown::inJsonOnly;
    for (std::size_t i = 0; i < usage.kernels.size(); ++i) {
      const auto& figures = usage.kernels[i].figures;
      auto figure = figures.find(resource);
      if (figure != figures.end()) shown = Shown::everywhere;
      table.rows[i].push_back(figure == figures.end() ? Absent{} : figureCell(resource, figure->second));
    }
    table.columns.push_back({columnName.data(), shown});
  }
  table.columns.push_back("kernel");
  for (std::size_t i = 0; i < usage.kernels.size(); ++i) table.rows[i].push_back(usage.kernels[i].kernel);
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
