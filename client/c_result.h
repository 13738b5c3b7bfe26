// What kiln_result holds: a reply, and the texts that the C ABI gives pointers into. Those of dependencies,
// of which there may be a thousand, are made when one is first asked for.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/client.h"
#include "kiln/kiln.h"

struct kiln_result {
  kiln_status status = KILN_OK;
  std::string message;
  kiln::client::Reply reply;
  std::vector<std::string> outputDigests;

  struct DependencyTexts {
    std::vector<std::string> paths;
    std::vector<std::string> digests;
  };
  const DependencyTexts& dependencyTexts() const;

 private:
  mutable std::once_flag once_;
  mutable DependencyTexts dependencyTexts_;
};

namespace kiln::client {

std::unique_ptr<kiln_result> resultOf(Reached<Reply> reply);
std::unique_ptr<kiln_result> resultOf(Failure failure);

}  // namespace kiln::client
