#include "client/cli/daemon_coverage.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "client/cli/locked_request.h"
#include "frontends/request_options.h"

namespace kiln::cli {
namespace {

using Missed = std::expected<std::string, std::string>;  // why the task would miss, empty if it would not

class DaemonSearch {
 public:
  DaemonSearch(client::Client& client, const std::vector<client::ToolchainReply>& toolchains,
               LockContents& contents)
      : client_(client), contents_(contents) {
    for (const auto& one : toolchains) {
      if (!one.isFromBundle) toolchains_.push_back(std::make_shared<const Toolchain>(one.toolchain));
    }
  }

  Missed missOf(const BuildTask& task) {
    auto request = requestFor(*task.kernel, task.target, contents_);
    if (!request) return std::unexpected(request.error().message);
    files_ = std::make_shared<const RecordedFiles>(*task.kernel, contents_);
    auto stages = stagesOf(*request);
    auto first = lookUp(stages ? stages->first : *request, task.toolchain);
    if (!first) return std::unexpected(std::move(first.error()));
    if (!stages || !isFound(*first) || first->failure) return reasonOf(task, *first);
    const auto& generated = first->outputs.front().bytes;
    auto& last = stages->last;
    last.source.assign(reinterpret_cast<const char*>(generated.data()), generated.size());
    auto linked = lookUp(last, linkerFor(first->toolchain, *stages));
    if (!linked) return std::unexpected(std::move(linked.error()));
    return reasonOf(task, *linked);
  }

 private:
  std::expected<client::Reply, std::string> lookUp(const Request& request, const std::string& toolchain) {
    auto reply = client_.lookUp(request, {.toolchain = toolchain}, files_);
    if (!reply) return std::unexpected(std::move(reply.error().message));
    return std::move(*reply);
  }

  // As kilnd would choose it; empty where nothing on the node would link.
  [[nodiscard]] std::string linkerFor(const std::string& madeBy, const Stages& stages) const {
    const auto first = std::ranges::find(toolchains_, madeBy, [](const auto& one) { return one->name; });
    if (first == toolchains_.end()) return {};
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
  ToolchainList toolchains_;  // of the node
  std::shared_ptr<const client::FileView> files_;
};

}  // namespace

std::expected<Coverage, std::string> coverageOf(const BuildPlan& plan, client::Client& client,
                                                const std::vector<client::ToolchainReply>& toolchains,
                                                LockContents& contents) {
  DaemonSearch search(client, toolchains, contents);
  Coverage coverage;
  for (const auto& task : plan.tasks) {
    auto reason = search.missOf(task);
    if (!reason) return std::unexpected(std::move(reason.error()));
    if (reason->empty()) {
      ++coverage.covered;
    } else {
      coverage.missing.push_back({task.kernel->name, shortName(task.target), std::move(*reason)});
    }
  }
  return coverage;
}

}  // namespace kiln::cli
