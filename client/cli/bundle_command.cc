// kiln bundle: what is in bundles, and bundles of bundles.

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "bundle/bundle_file.h"
#include "client/cli/commands.h"
#include "client/cli/reports.h"

namespace kiln::cli {
namespace {

using Action = BundleArguments::Action;

ExitCode fail(const Context& context, const bundle::BundleError& error) {
  return fail(context, ExitCode::refused, "invalid_bundle", error.message);
}

// By what an entry is found, for people: kernel, target, name of the toolchain.
using Place = std::tuple<std::string, std::string, std::string>;

// What may differ between two entries of one place.
struct Content {
  Sha256 toolchain, request, dependencies, outputs;
  std::string outcome;

  bool operator==(const Content&) const = default;
};

std::map<Place, std::vector<Content>> placesOf(const bundle::BundleIndex& index) {
  std::map<Sha256, std::string> names;
  for (const auto& toolchain : index.toolchains) names[toolchain.identity] = toolchain.name;
  std::map<Place, std::vector<Content>> places;
  for (const auto& kernel : index.kernels) {
    for (const auto& entry : kernel.entries) {
      places[{kernel.name, entry.target, names[entry.toolchain]}].push_back(
          {entry.toolchain, entry.requestSha256, entry.dependencies, entry.outputs, entry.outcome});
    }
  }
  return places;
}

// In what two entries of one place differ; empty if in nothing.
std::string difference(const Content& a, const Content& b) {
  if (a.request != b.request) return "the source, its options or its names";
  if (a.toolchain != b.toolchain) return "the build of the toolchain";
  if (a.dependencies != b.dependencies) return "a file that it depends on";
  if (a.outcome != b.outcome) return a.outcome + ", and " + b.outcome;
  if (a.outputs != b.outputs) return "the binary or its log";
  return {};
}

// Takes those of `a` and `b` that belong together out of both, and says in what they differ. Kernels of one
// name may have several in one place: first those that are equal, then those of one request with the same
// files, then those of one request.
std::vector<std::string> pairedDifferences(std::vector<Content>& a, std::vector<Content>& b) {
  using IsPair = bool (*)(const Content&, const Content&);
  constexpr std::array<IsPair, 4> kCloseness = {
      [](const Content& x, const Content& y) { return x == y; },
      [](const Content& x, const Content& y) {
        return x.request == y.request && x.dependencies == y.dependencies;
      },
      [](const Content& x, const Content& y) { return x.request == y.request; },
      [](const Content&, const Content&) { return true; },
  };
  std::vector<std::string> found;
  for (const auto isPair : kCloseness) {
    std::erase_if(a, [&](const Content& one) {
      const auto other =
          std::ranges::find_if(b, [&](const Content& content) { return isPair(one, content); });
      if (other == b.end()) return false;
      if (auto what = difference(one, *other); !what.empty()) found.push_back(std::move(what));
      b.erase(other);
      return true;
    });
  }
  std::ranges::sort(found);
  return found;
}

ExitCode merge(const Context& context, const BundleArguments& arguments) {
  std::vector<bundle::BundledKernel> kernels;
  std::vector<Toolchain> toolchains;
  for (const auto& path : arguments.bundles) {
    auto file = bundle::BundleFile::open(path);
    if (!file) return fail(context, file.error());
    for (const auto& one : file->index().kernels) {
      auto kernel = file->read(one);
      if (!kernel) return fail(context, kernel.error());
      kernels.push_back(std::move(*kernel));
    }
    toolchains.insert(toolchains.end(), file->index().toolchains.begin(), file->index().toolchains.end());
  }
  bundle::BundleIndex index;
  auto digest = bundle::writeBundle(arguments.output, std::move(kernels), toolchains, index);
  if (!digest) return fail(context, digest.error());
  print(context, reportOfBundle(arguments.output, *digest, index));
  return ExitCode::done;
}

}  // namespace

std::vector<BundleDifference> differences(const bundle::BundleIndex& a, const bundle::BundleIndex& b) {
  auto first = placesOf(a);
  auto second = placesOf(b);
  std::set<Place> places;
  for (const auto& [place, contents] : first) places.insert(place);
  for (const auto& [place, contents] : second) places.insert(place);
  std::vector<BundleDifference> found;
  for (const auto& place : places) {
    const auto& [kernel, target, toolchain] = place;
    auto& inFirst = first[place];
    auto& inSecond = second[place];
    for (auto& what : pairedDifferences(inFirst, inSecond))
      found.push_back({kernel, target, toolchain, std::move(what)});
    for (std::size_t i = 0; i < inFirst.size(); ++i)
      found.push_back({kernel, target, toolchain, "in the first alone"});
    for (std::size_t i = 0; i < inSecond.size(); ++i)
      found.push_back({kernel, target, toolchain, "in the second alone"});
  }
  return found;
}

ExitCode run(const Context& context, const BundleArguments& arguments) {
  if (arguments.action == Action::merge) return merge(context, arguments);
  const auto first = bundle::BundleFile::open(arguments.bundles.front());
  if (!first) return fail(context, first.error());
  if (arguments.action == Action::list) {
    print(context, reportOfKernels(first->index()));
    return ExitCode::done;
  }
  if (arguments.action == Action::show) {
    print(context, reportOfBundle(arguments.bundles.front(), first->layout().digest(), first->index()));
    return ExitCode::done;
  }
  const auto second = bundle::BundleFile::open(arguments.bundles.back());
  if (!second) return fail(context, second.error());
  const auto found = differences(first->index(), second->index());
  print(context, reportOf(found));
  return found.empty() ? ExitCode::done : ExitCode::doesNotCompile;
}

}  // namespace kiln::cli
