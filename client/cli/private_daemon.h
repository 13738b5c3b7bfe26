// A kilnd for one command alone.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <string>

#include "client/cli/build_folder.h"

namespace kiln::cli {

// Runs beside this program, on a socket that nobody else knows, and ends with it.
class PrivateDaemon {
 public:
  // Keeps its store in `folder`, and its log there too (kilnd.log). `config` is a configuration whose sockets
  // and store are not used; empty: none. The error says why it does not run.
  static std::expected<std::unique_ptr<PrivateDaemon>, std::string> start(BuildFolder folder,
                                                                          const std::string& config);
  // Waits until it has ended.
  ~PrivateDaemon();
  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;

  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] BuildFolder& folder() { return folder_; }
  // For one that does not answer: that it has ended by itself, with the last line of its log and where that
  // is. Empty if it runs. Waits a moment for it, since its connections break before it has ended.
  [[nodiscard]] std::string end() const;

 private:
  PrivateDaemon(pid_t process, std::string socket, BuildFolder folder)
      : process_(process), socket_(std::move(socket)), folder_(std::move(folder)) {}

  pid_t process_;
  std::string socket_;
  BuildFolder folder_;
};

}  // namespace kiln::cli
