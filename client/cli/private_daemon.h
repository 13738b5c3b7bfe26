// A kilnd for one command alone.
#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace kiln::cli {

// Runs beside this program, on a socket that nobody else knows, and ends with it.
class PrivateDaemon {
 public:
  // Keeps its store in `folder`, which it makes, and its log there too (kilnd.log). `config` is a
  // configuration whose sockets and store are not used; empty: none. The error says why it does not run.
  static std::expected<std::unique_ptr<PrivateDaemon>, std::string> start(const std::filesystem::path& folder,
                                                                          const std::string& config);
  // Waits until it has ended.
  ~PrivateDaemon();
  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;

  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  PrivateDaemon(pid_t process, std::string socket, std::filesystem::path folder)
      : process_(process), socket_(std::move(socket)), folder_(std::move(folder)) {}

  pid_t process_;
  std::string socket_;
  std::filesystem::path folder_;
};

}  // namespace kiln::cli
