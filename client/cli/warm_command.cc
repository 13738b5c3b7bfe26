// kiln warm: brings bundles to a node, lists them there, takes them away.

#include <algorithm>
#include <expected>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <span>

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

// The layers of a bundle's kernels.
std::vector<const bundle::Descriptor*> kernelsOf(const bundle::ImageManifest& manifest) {
  std::vector<const bundle::Descriptor*> kernels;
  for (const auto& layer : manifest.layers) {
    if (layer.mediaType == bundle::kKernelType) kernels.push_back(&layer);
  }
  return kernels;
}

// Portions of about one size.
using Portion = std::span<const bundle::Descriptor* const>;
std::vector<Portion> portionsOf(std::span<const bundle::Descriptor* const> layers) {
  std::vector<Portion> portions;
  std::size_t start = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    bytes += layers[i]->size;
    if (bytes < kPortionBytes && i + 1 < layers.size()) continue;
    portions.push_back(layers.subspan(start, i + 1 - start));
    start = i + 1;
    bytes = 0;
  }
  return portions;
}

class BundleOnItsWay final : public client::BundleSource {
 public:
  // `kernels` are the bundle's; `progress` outlives the call that sends them.
  BundleOnItsWay(std::shared_ptr<const bundle::UnparsedBundle> bundle,
                 std::vector<const bundle::Descriptor*> kernels, Progress& progress)
      : bundle_(std::move(bundle)),
        kernels_(std::move(kernels)),
        portions_(portionsOf(kernels_)),
        progress_(progress) {}

  [[nodiscard]] std::string name() const override {
    auto path = std::filesystem::path(bundle_->path()).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
  }
  [[nodiscard]] std::string_view manifest() const override { return bundle_->layout()->manifestBytes(); }
  [[nodiscard]] std::string_view index() const override { return bundle_->unverifiedIndex(); }
  [[nodiscard]] std::size_t portions() const override { return portions_.size(); }
  std::expected<std::vector<std::string>, std::string> read(std::size_t portion) override {
    std::vector<std::string> layers;
    for (const auto* layer : portions_[portion]) {
      auto bytes = bundle_->layout()->readUnverified(*layer);
      if (!bytes) return std::unexpected(std::move(bytes.error().message));
      layers.push_back(std::move(*bytes));
    }
    return layers;
  }
  void onTaken(std::size_t portion) override { progress_.advance(portions_[portion].size()); }
  void onCommit() override { isCommitting_ = true; }

  [[nodiscard]] bool isCommitting() const { return isCommitting_; }
  // What is wrong with the layers of one; empty if nothing is. kilnd cannot tell what should have been in the
  // place of one that it refuses.
  [[nodiscard]] std::string damageOf(std::size_t portion) const {
    for (const auto* layer : portions_[portion]) {
      if (auto bytes = bundle_->layout()->read(*layer); !bytes) return bytes.error().message;
    }
    return {};
  }

 private:
  const std::shared_ptr<const bundle::UnparsedBundle> bundle_;
  const std::vector<const bundle::Descriptor*> kernels_;
  const std::vector<Portion> portions_;
  Progress& progress_;
  bool isCommitting_ = false;
};

ExitCode refuse(const Context& context, const std::string& kind, const std::string& message) {
  return fail(context, ExitCode::refused, kind, message);
}

// Too large a layer of a kernel; empty if there is none.
std::string tooLarge(const bundle::UnparsedBundle& bundle) {
  for (const auto* layer : kernelsOf(bundle.layout()->manifest())) {
    if (layer->size <= kMostLayerBytes) continue;
    return "layer " + layer->digest.hex() + " of '" + bundle.path() + "' has " +
           std::to_string(layer->size >> 20) +
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

// What came of bringing it.
struct Brought {
  client::Reached<client::WarmReply> reply;
  bool isCommitting;   // it got so far
  std::string damage;  // what is wrong with the layers that kilnd refused, if anything is
};

Brought send(const Context& context, client::Client& client,
             std::shared_ptr<const bundle::UnparsedBundle> bundle) {
  auto kernels = kernelsOf(bundle->layout()->manifest());
  const auto style = context.format == Format::json ? Progress::Style::none : Progress::usualStyle();
  std::optional<Progress> progress(std::in_place, "kernels", kernels.size(), style);
  const auto onItsWay = std::make_shared<BundleOnItsWay>(std::move(bundle), std::move(kernels), *progress);
  auto reply = client.warm(onItsWay);
  progress.reset();
  auto damage = reply && reply->refused ? onItsWay->damageOf(*reply->refused) : std::string();
  return {std::move(reply), onItsWay->isCommitting(), std::move(damage)};
}

std::string nothingOf(const std::string& path) { return "nothing of '" + path + "' was brought in: "; }

ExitCode failUnanswered(const Context& context, const std::string& path, bool isCommitting,
                        const client::Unreachable& why) {
  const auto unknown = "it is not known whether '" + path +
                       "' was brought in, whole or not at all; once kilnd answers, the same command tells: ";
  return fail(context, client::Unreachable{(isCommitting ? unknown : nothingOf(path)) + why.message});
}

// `damage` is what is wrong with the bundle as we see it; empty if nothing is.
ExitCode failRefused(const Context& context, const std::string& path, const client::WarmReply& reply,
                     const std::string& damage) {
  const auto& why = reply.problem;
  if (reply.isUnreadable) return refuse(context, "invalid_bundle", nothingOf(path) + why);
  if (damage.empty()) return refuse(context, "not_warmed", nothingOf(path) + why);
  return refuse(context, "invalid_bundle", nothingOf(path) + damage + " (kilnd: " + why + ")");
}

// How it fits the node, or why that cannot be told.
BundleFit fitOf(const bundle::BundleResult<bundle::BundleFile>& file, const client::Reached<NodeSide>& node) {
  if (file && node) return fitOf(file->index(), *node);
  return {{},
          {"it is there, and how it fits this node cannot be told: " +
           (file ? node.error().message : file.error().message)}};
}

ExitCode bring(const Context& context, const std::string& path) {
  auto opened = bundle::UnparsedBundle::open(path);
  if (!opened) return refuse(context, "invalid_bundle", opened.error().message);
  const auto bundle = std::make_shared<const bundle::UnparsedBundle>(std::move(*opened));
  if (auto problem = tooLarge(*bundle); !problem.empty()) return refuse(context, "invalid_bundle", problem);
  // kilnd looks into the index at the same time and decides; this is for what is said of it. Both on threads
  // of their own where these can be had.
  auto parsing = std::async([&] { return bundle::BundleFile::parse(*bundle); });
  client::Client client(context.client);
  auto asking = std::async([&] { return askNode(client); });
  const auto [reply, isCommitting, damage] = send(context, client, bundle);
  if (!reply) return failUnanswered(context, path, isCommitting, reply.error());
  const auto file = parsing.get();
  if (!reply->problem.empty()) {
    const bool isOfIndex = !reply->refused && !isCommitting && !file;
    return failRefused(context, path, *reply, isOfIndex ? file.error().message : damage);
  }
  const auto fit = fitOf(file, asking.get());
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
