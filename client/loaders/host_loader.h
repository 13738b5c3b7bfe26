// The host as a device: shared objects, loaded into this process.
#pragma once

#include "client/loaders/loader.h"

namespace kiln::client {

// From a sealed file in memory, with its symbols bound at once and seen by nothing else.
class HostLoader final : public Loader {
 public:
  [[nodiscard]] OutputKind binary() const override { return OutputKind::sharedObject; }
  Loaded<std::unique_ptr<LoadedModule>> load(std::span<const std::byte> bytes,
                                             const std::string& name) override;
};

}  // namespace kiln::client
