#include "client/cli/daemon_coverage.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "client/cli/locked_request.h"
#include "frontends/request_options.h"

namespace kiln::cli {
namespace {

template <typename T>
using Answered = std::expected<T, CoverageError>;

class DaemonSearch {
 public:
  DaemonSearch(client::Client& client, LockContents& contents) : client_(client), contents_(contents) {}

  // What there is to know of the socket that is asked.
  Answered<void> begin() {
    auto status = client_.status();
    if (!status) return std::unexpected(std::move(status.error()));
    isLocked_ = status->lane == "locked";
    auto toolchains = client_.toolchains();
    if (!toolchains) return std::unexpected(std::move(toolchains.error()));
    for (const auto& one : *toolchains) {
      if (!one.isFromBundle) toolchains_.push_back(std::make_shared<const Toolchain>(one.toolchain));
    }
    return {};
  }

  // Why the task would miss; empty if it would not.
  Answered<std::string> missOf(const BuildTask& task) {
    auto request = requestFor(*task.kernel, task.target, contents_);
    if (!request) return std::unexpected(bundle::BundleError{request.error().message});
    files_ = std::make_shared<const RecordedFiles>(*task.kernel, contents_);
    auto stages = stagesOf(*request);
    auto first = lookUp(stages ? stages->first : *request, task.toolchain);
    if (!first) return std::unexpected(std::move(first.error()));
    if (!stages || !isFound(*first) || first->failure) return reasonOf(task, *first);
    const auto& generated = first->outputs.front().bytes;
    auto& last = stages->last;
    last.source.assign(reinterpret_cast<const char*>(generated.data()), generated.size());
    auto linker = linkerFor(first->key, *stages);
    if (!linker) return std::unexpected(std::move(linker.error()));
    auto linked = lookUp(last, *linker);
    if (!linked) return std::unexpected(std::move(linked.error()));
    return reasonOf(task, *linked);
  }

 private:
  Answered<client::Reply> lookUp(const Request& request, const std::string& toolchain) {
    auto reply = client_.lookUp(request, {.toolchain = toolchain, .priority = {}, .timeout = {}}, files_);
    if (!reply) return std::unexpected(std::move(reply.error()));
    return std::move(*reply);
  }

  // As kilnd would choose it: none by name where bundles alone serve, or nothing on the node would link.
  Answered<std::string> linkerFor(const std::string& key, const Stages& stages) {
    if (isLocked_) return "";
    auto shown = client_.show(key);
    if (!shown) return std::unexpected(std::move(shown.error()));
    if (!*shown) return "";
    const auto first = std::ranges::find(toolchains_, (*shown)->toolchainIdentity,
                                         [](const auto& one) { return one->identity; });
    if (first == toolchains_.end()) return "";
    const auto linker =
        chooseNextToolchain(toolchains_, stages.last.language,
                            stages.hasOneNumbering ? (*first)->version : "", stages.last.target);
    return linker == nullptr ? "" : linker->name;
  }

  static bool isFound(const client::Reply& reply) { return reply.how == client::Reply::How::hit; }

  static std::string reasonOf(const BuildTask& task, const client::Reply& reply) {
    if (!isFound(reply)) return reply.failure ? reply.failure->message : reply.missReason;
    if (!reply.failure || isExpectedToFail(task)) return {};
    return doesNotCompile(task, *reply.failure);
  }

  client::Client& client_;
  LockContents& contents_;
  bool isLocked_ = false;
  ToolchainList toolchains_;  // of the node
  std::shared_ptr<const client::FileView> files_;
};

}  // namespace

std::expected<Coverage, CoverageError> coverageOf(const BuildPlan& plan, client::Client& client,
                                                  LockContents& contents) {
  DaemonSearch search(client, contents);
  if (auto begun = search.begin(); !begun) return std::unexpected(std::move(begun.error()));
  return coverageBy(plan, [&](const BuildTask& task) { return search.missOf(task); });
}

}  // namespace kiln::cli
