// What kiln_result holds: a reply, and the texts that the C ABI gives pointers into.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "kiln/kiln.h"

struct kiln_result {
  kiln_status status = KILN_OK;
  std::string message;
  kiln::client::Reply reply;
  std::vector<std::string> outputDigests;
  std::vector<std::string> dependencyPaths;
  std::vector<std::string> dependencyDigests;
};

namespace kiln::client {

std::unique_ptr<kiln_result> resultOf(Reached<Reply> reply);
std::unique_ptr<kiln_result> resultOf(Failure failure);

}  // namespace kiln::client
