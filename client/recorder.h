// Writes down what a process asks kiln to compile, for `kiln record`.
#pragma once

#include <capnp/message.h>

#include <filesystem>
#include <optional>
#include <string>

#include "client/client.h"
#include "client/file_view.h"

namespace kiln::client {

// A folder of recorded requests and of the files that they depend on (rpc/schema/recording.capnp).
// Thread-safe, and many processes may write to one folder, which must be there. Never fails a compile: what
// cannot be written down is said on standard error, once, and marked in the folder as missing.
class Recorder {
 public:
  // Recording into the folder that KILN_RECORD names; nothing if it is not set.
  static std::optional<Recorder> fromEnvironment();

  explicit Recorder(const std::filesystem::path& folder);

  // `request` as it was sent, and what came of it. Reads the files that it depends on through `files`.
  void note(const Request& request, const CompileOptions& options, const Reached<Reply>& reply,
            const FileView& files) const noexcept;
  // `request` as it was asked for; it was not sent.
  void noteRefused(const Request& request, const CompileOptions& options,
                   const Failure& failure) const noexcept;

 private:
  [[nodiscard]] std::string keepContent(const Dependency& dependency, const std::string& path,
                                        const FileView& files) const;
  void keepRequest(capnp::MessageBuilder& message) const;

  const std::filesystem::path requests_, contents_, incomplete_;
};

}  // namespace kiln::client
