// How a bundle fits the node that it is brought to: what of it will be found there, and what will not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle/bundle_index.h"
#include "client/client.h"

namespace kiln::cli {

struct NodeSide {
  std::vector<Target> gpus;  // client/node_gpus.h
  Target host;
  std::string hostLevel;  // as client::hostLevel() has it
  std::vector<client::ToolchainReply> toolchains;
  bool isLocked = false;  // the socket's lane
};

struct BundleFit {
  std::optional<std::vector<std::string>> targets;  // those that run on the node, sorted; if that can be told
  std::vector<std::string> notes;  // what does not fit, or cannot be told, and what to do; a sentence each
};

BundleFit fitOf(const bundle::BundleIndex& index, const NodeSide& node);

}  // namespace kiln::cli
