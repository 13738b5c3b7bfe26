// What the handles of the C ABI hold, and what its functions have in common: nothing but a status leaves one.
#pragma once

#include <expected>
#include <new>
#include <string>
#include <utility>

#include "client/client.h"
#include "kiln/kiln.h"

struct kiln_client {
  explicit kiln_client(kiln::client::ClientOptions options) : client(std::move(options)) {}
  kiln::client::Client client;
};

struct kiln_request {
  kiln::Request request;
  std::string target;
  std::string virtualArchitecture;
  kiln::client::CompileOptions options;
};

namespace kiln::client {

// `change()` unless an argument was null.
template <typename Change>
kiln_status guarded(bool argumentsGiven, Change change) {
  if (!argumentsGiven) return KILN_INVALID_REQUEST;
  try {
    change();
    return KILN_OK;
  } catch (const std::bad_alloc&) {
    return KILN_OUT_OF_MEMORY;
  } catch (...) {
    return KILN_INTERNAL;
  }
}

// With its architectures parsed. Failure: unsupportedTarget.
std::expected<Request, Failure> requestOf(const kiln_request& given);

}  // namespace kiln::client
