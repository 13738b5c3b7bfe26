// What systemd and its like ask of a service: sockets handed over at the start, and word of being ready.
// The protocols are those of sd_listen_fds(3) and sd_notify(3).
#pragma once

#include <kj/io.h>

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

// A listening Unix stream socket that this process was started with.
struct ActivatedSocket {
  kj::AutoCloseFd descriptor;
  std::string name;            // FileDescriptorName= of the socket unit
  std::filesystem::path path;  // where it is bound
};

// Takes over the sockets that LISTEN_FDS announces, if LISTEN_PID says that they are for this process, and
// removes the variables, so that no child believes in them. `first` is the number of the first descriptor.
// The error names a descriptor that is no listening Unix stream socket.
std::expected<std::vector<ActivatedSocket>, std::string> takeActivatedSockets(int first = 3);

// Sends `state` ("READY=1") to NOTIFY_SOCKET, if there is one; whether there is one and it took the message.
bool notifyServiceManager(std::string_view state);

}  // namespace kiln
