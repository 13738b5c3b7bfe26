// kiln warm: brings bundles to a node, lists them there, takes them away.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>

#include "bundle/bundle_file.h"
#include "client/cli/bundle_fit.h"
#include "client/cli/commands.h"
#include "client/cli/progress.h"
#include "client/cli/reports.h"
#include "client/host_target.h"
#include "client/node_gpus.h"

namespace kiln::cli {
namespace {

constexpr std::uint64_t kPortionBytes = 2 << 20;
// What a message to kilnd holds with ease.
constexpr std::uint64_t kMostLayerBytes = 256 << 20;

// The layers of a bundle's kernels in portions of about one size.
std::vector<std::vector<bundle::Descriptor>> portionsOf(const bundle::BundleFile& file) {
  std::vector<Sha256> used;
  for (const auto& kernel : file.index().kernels) used.push_back(kernel.layer);
  std::ranges::sort(used);
  std::vector<std::vector<bundle::Descriptor>> portions;
  std::uint64_t bytes = kPortionBytes;
  for (const auto& layer : file.layout().manifest().layers) {
    if (!std::ranges::binary_search(used, layer.digest)) continue;
    if (bytes >= kPortionBytes) {
      portions.emplace_back();
      bytes = 0;
    }
    portions.back().push_back(layer);
    bytes += layer.size;
  }
  return portions;
}

// A bundle that is read by several threads while it is sent.
class BundleOnItsWay {
 public:
  BundleOnItsWay(const bundle::BundleFile& file, Progress& progress)
      : file_(file), portions_(portionsOf(file)), progress_(progress) {}

  // Outlived by this.
  [[nodiscard]] client::BundleSource source(std::string name, std::string index) {
    return {.name = std::move(name),
            .manifest = file_.layout().manifestBytes(),
            .index = std::move(index),
            .portions = portions_.size(),
            .read = [this](std::size_t portion) { return read(portion); },
            .onTaken = [this](std::size_t portion) { progress_.advance(portions_[portion].size()); }};
  }

  // Why it could not be read to its end; empty if it could.
  [[nodiscard]] std::string problem() {
    std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  std::optional<std::vector<std::string>> read(std::size_t portion) {
    std::vector<std::string> layers;
    for (const auto& layer : portions_[portion]) {
      auto bytes = file_.layout().read(layer);
      if (!bytes) {
        std::lock_guard lock(mutex_);
        problem_ = bytes.error().message;
        return std::nullopt;
      }
      layers.push_back(std::move(*bytes));
    }
    return layers;
  }

  const bundle::BundleFile& file_;
  const std::vector<std::vector<bundle::Descriptor>> portions_;
  Progress& progress_;
  std::mutex mutex_;
  std::string problem_;
};

ExitCode refuse(const Context& context, const std::string& kind, const std::string& message) {
  return fail(context, ExitCode::refused, kind, message);
}

// Too large a layer; empty if there is none.
std::string tooLarge(const bundle::BundleFile& file) {
  for (const auto& layer : file.layout().manifest().layers) {
    if (layer.size <= kMostLayerBytes) continue;
    return "layer " + layer.digest.hex() + " has " + std::to_string(layer.size >> 20) +
           " MiB, and at most 256 can be brought to kilnd; build that kernel for fewer targets at a time";
  }
  return {};
}

client::Reached<NodeSide> askNode(client::Client& client) {
  auto status = client.status();
  if (!status) return std::unexpected(std::move(status.error()));
  auto toolchains = client.toolchains();
  if (!toolchains) return std::unexpected(std::move(toolchains.error()));
  return NodeSide{client::nodeGpus(), client::hostTarget(), client::hostLevel(), std::move(*toolchains),
                  status->lane == "locked"};
}

ExitCode bring(const Context& context, const std::string& path) {
  const auto file = bundle::BundleFile::open(path);
  if (!file) return refuse(context, "invalid_bundle", file.error().message);
  if (auto problem = tooLarge(*file); !problem.empty()) return refuse(context, "invalid_bundle", problem);
  auto index = file->layout().read(file->layout().manifest().config);
  if (!index) return refuse(context, "invalid_bundle", index.error().message);
  client::Client client(context.client);
  const auto node = askNode(client);
  if (!node) return fail(context, node.error());

  client::Reached<client::WarmReply> reply;
  {
    const auto style = context.format == Format::json ? Progress::Style::none : Progress::usualStyle();
    Progress progress("kernels", file->index().kernels.size(), style);
    BundleOnItsWay onItsWay(*file, progress);
    auto name = std::filesystem::path(path).lexically_normal();
    if (!name.has_filename()) name = name.parent_path();
    reply = client.warm(onItsWay.source(name.filename().string(), std::move(*index)));
    if (auto problem = onItsWay.problem(); !problem.empty())
      return refuse(context, "invalid_bundle", problem);
  }
  if (!reply) {
    return fail(context,
                client::Unreachable{"it is not known whether '" + path +
                                    "' was brought in, whole or not at all; once kilnd runs, the same "
                                    "command tells: " +
                                    reply.error().message});
  }
  if (!reply->problem.empty()) {
    return refuse(context, "not_warmed", "nothing of '" + path + "' was brought in: " + reply->problem);
  }
  const auto fit = fitOf(file->index(), *node);
  print(context, reportOfWarmed(path, *reply, fit));
  if (context.format == Format::text) {
    for (const auto& note : fit.notes) std::cerr << "kiln: " << note << '\n';
  }
  return ExitCode::done;
}

// The bundle that `text` is the name of, or the beginning of the digest.
std::vector<BundleRecord> meant(const std::vector<BundleRecord>& bundles, std::string text) {
  std::vector<BundleRecord> found;
  if (text.starts_with("sha256:")) text.erase(0, 7);
  constexpr std::size_t kFewestDigits = 4;
  for (const auto& bundle : bundles) {
    const bool isBegun = text.size() >= kFewestDigits && bundle.digest.hex().starts_with(text);
    if (bundle.name == text || isBegun) found.push_back(bundle);
  }
  return found;
}

std::string digestsOf(const std::vector<BundleRecord>& bundles) {
  std::string list;
  for (const auto& bundle : bundles) list += (list.empty() ? "" : ", ") + bundle.digest.hex();
  return list;
}

ExitCode remove(const Context& context, const std::string& text) {
  client::Client client(context.client);
  const auto bundles = client.bundles();
  if (!bundles) return fail(context, bundles.error());
  const auto found = meant(*bundles, text);
  if (found.empty()) {
    return refuse(context, "no_such_bundle",
                  "no bundle here has the name '" + text +
                      "', or a digest that begins so; kiln warm --list lists them");
  }
  if (found.size() > 1) {
    return refuse(context, "several_bundles",
                  "several bundles here are meant by '" + text + "': " + digestsOf(found) +
                      "; give the first digits of one");
  }
  const auto removed = client.removeBundle(found.front().digest);
  if (!removed) return fail(context, removed.error());
  if (!removed->problem.empty())
    return refuse(context, "not_removed", "the bundle is not removed: " + removed->problem);
  if (!removed->found) {
    return refuse(context, "no_such_bundle",
                  "somebody else has removed '" + found.front().name + "' meanwhile");
  }
  print(context, reportOfRemoved(found.front()));
  return ExitCode::done;
}

ExitCode list(const Context& context) {
  client::Client client(context.client);
  const auto bundles = client.bundles();
  if (!bundles) return fail(context, bundles.error());
  print(context, reportOf(*bundles));
  return ExitCode::done;
}

}  // namespace

ExitCode run(const Context& context, const WarmArguments& arguments) {
  if (arguments.list) return list(context);
  if (!arguments.removed.empty()) return remove(context, arguments.removed);
  return bring(context, arguments.bundle);
}

ExitCode run(const Context& context, const LanesArguments&) {
  client::Client client(context.client);
  const auto lanes = client.lanes();
  if (!lanes) return fail(context, lanes.error());
  print(context, reportOf(*lanes));
  return ExitCode::done;
}

}  // namespace kiln::cli
