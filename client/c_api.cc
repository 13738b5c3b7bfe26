// The C ABI over Client. Every function that may throw is wrapped, so that nothing but a status leaves.
#include <cstdint>
#include <functional>
#include <new>
#include <optional>

#include "client/c_objects.h"
#include "client/c_result.h"
#include "client/client.h"
#include "client/host_target.h"
#include "kiln/kiln.h"

using kiln::FailureKind;
using kiln::client::Client;
using kiln::client::ClientOptions;
using kiln::client::guarded;

struct kiln_client_options {
  ClientOptions options;
};

namespace {

template <typename T, typename... Arguments>
T* make(Arguments&&... arguments) {
  try {
    return new T{std::forward<Arguments>(arguments)...};
  } catch (...) {
    return nullptr;
  }
}

// What `value`, of an enumeration of kiln.h, is inside; nothing for a number that is none of its values.
template <typename Enum, typename Value>
std::optional<Value> knownValue(Enum value, std::optional<Value> (*fromNumber)(std::uint16_t)) {
  const auto number = static_cast<unsigned>(value);
  return number <= UINT16_MAX ? fromNumber(static_cast<std::uint16_t>(number)) : std::nullopt;
}

bool isText(const char* text, std::size_t size) { return text != nullptr || size == 0; }

std::unique_ptr<kiln_result> compile(Client& client, const kiln_request& given) {
  auto request = kiln::client::requestOf(given);
  if (!request) return kiln::client::resultOf(std::move(request.error()));
  return kiln::client::resultOf(client.compile(std::move(*request), given.options));
}

}  // namespace

std::expected<kiln::Request, kiln::Failure> kiln::client::requestOf(const kiln_request& given) {
  auto target = parseOwnTarget(given.target);
  if (!target) return std::unexpected(std::move(target.error()));
  auto request = given.request;
  request.target = std::move(*target);
  if (given.virtualArchitecture.empty()) return request;
  auto architecture = parseTarget(given.virtualArchitecture);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  request.virtualArchitecture = std::move(*architecture);
  return request;
}

extern "C" {

const char* kiln_version(void) { return KILN_VERSION; }

kiln_client_options* kiln_client_options_new(void) { return make<kiln_client_options>(); }
void kiln_client_options_free(kiln_client_options* options) { delete options; }

kiln_status kiln_client_options_set_socket(kiln_client_options* options, const char* path) {
  return guarded(options != nullptr && path != nullptr, [&] { options->options.socket = path; });
}

kiln_status kiln_client_options_set_name(kiln_client_options* options, const char* name) {
  return guarded(options != nullptr && name != nullptr, [&] { options->options.name = name; });
}

kiln_status kiln_client_options_allow_directory(kiln_client_options* options, const char* directory) {
  return guarded(options != nullptr && directory != nullptr && *directory != '\0',
                 [&] { options->options.allowedDirectories.emplace_back(directory); });
}

kiln_status kiln_client_options_set_connect_timeout_ms(kiln_client_options* options, uint32_t milliseconds) {
  return guarded(options != nullptr,
                 [&] { options->options.connectTimeout = std::chrono::milliseconds(milliseconds); });
}

kiln_client* kiln_client_new(const kiln_client_options* options) {
  try {
    return make<kiln_client>(options != nullptr ? options->options : ClientOptions{});
  } catch (...) {
    return nullptr;
  }
}

void kiln_client_free(kiln_client* client) { delete client; }

const char* kiln_client_socket(const kiln_client* client) {
  return client != nullptr ? client->client.socket().c_str() : "";
}

kiln_request* kiln_request_new(void) { return make<kiln_request>(); }
void kiln_request_free(kiln_request* request) { delete request; }

kiln_status kiln_request_set_source(kiln_request* request, const char* source, size_t size) {
  return guarded(request != nullptr && isText(source, size),
                 [&] { request->request.source.assign(source, size); });
}

kiln_status kiln_request_set_language(kiln_request* request, kiln_language language) {
  auto known = knownValue(language, kiln::languageFromNumber);
  return guarded(request != nullptr && known, [&] { request->request.language = *known; });
}

kiln_status kiln_request_set_source_name(kiln_request* request, const char* name) {
  return guarded(request != nullptr && name != nullptr, [&] { request->request.names.source = name; });
}

kiln_status kiln_request_set_working_directory(kiln_request* request, const char* directory) {
  return guarded(request != nullptr && directory != nullptr,
                 [&] { request->request.names.workingDirectory = directory; });
}

kiln_status kiln_request_set_target(kiln_request* request, const char* target) {
  return guarded(request != nullptr && target != nullptr, [&] { request->target = target; });
}

kiln_status kiln_request_set_virtual_architecture(kiln_request* request, const char* architecture) {
  return guarded(request != nullptr && architecture != nullptr,
                 [&] { request->virtualArchitecture = architecture; });
}

kiln_status kiln_request_add_include_directory(kiln_request* request, const char* directory) {
  return guarded(request != nullptr && directory != nullptr && *directory != '\0',
                 [&] { request->request.names.includeDirectories.emplace_back(directory); });
}

kiln_status kiln_request_add_option(kiln_request* request, const char* option) {
  return guarded(request != nullptr && option != nullptr,
                 [&] { request->request.options.emplace_back(option); });
}

kiln_status kiln_request_add_header(kiln_request* request, const char* name, const char* content,
                                    size_t size) {
  return guarded(request != nullptr && name != nullptr && *name != '\0' && isText(content, size),
                 [&] { request->request.headers.push_back({name, std::string(content, size)}); });
}

kiln_status kiln_request_add_input(kiln_request* request, const char* name, const char* content,
                                   size_t size) {
  return guarded(request != nullptr && name != nullptr && *name != '\0' && isText(content, size), [&] {
    auto& inputs = request->request.inputs;
    inputs.emplace_back(content, size);
    try {
      request->request.names.inputs.emplace_back(name);
    } catch (...) {
      inputs.pop_back();
      throw;
    }
  });
}

kiln_status kiln_request_add_name_expression(kiln_request* request, const char* expression) {
  return guarded(request != nullptr && expression != nullptr,
                 [&] { request->request.nameExpressions.emplace_back(expression); });
}

kiln_status kiln_request_add_output(kiln_request* request, kiln_output_kind kind) {
  auto known = knownValue(kind, kiln::outputKindFromNumber);
  return guarded(request != nullptr && known, [&] { request->request.outputs.push_back(*known); });
}

kiln_status kiln_request_set_timestamp(kiln_request* request, uint64_t seconds) {
  return guarded(request != nullptr, [&] { request->request.timestamp = seconds; });
}

kiln_status kiln_request_set_toolchain(kiln_request* request, const char* toolchain) {
  return guarded(request != nullptr && toolchain != nullptr, [&] { request->options.toolchain = toolchain; });
}

kiln_status kiln_request_set_priority(kiln_request* request, kiln_priority priority) {
  bool known = priority >= KILN_PRIORITY_NORMAL && priority <= KILN_PRIORITY_BACKGROUND;
  return guarded(request != nullptr && known, [&] {
    request->options.priority = priority == KILN_PRIORITY_INTERACTIVE  ? kiln::Priority::interactive
                                : priority == KILN_PRIORITY_BACKGROUND ? kiln::Priority::background
                                                                       : kiln::Priority::normal;
  });
}

kiln_status kiln_request_set_timeout_ms(kiln_request* request, uint32_t milliseconds) {
  return guarded(request != nullptr,
                 [&] { request->options.timeout = std::chrono::milliseconds(milliseconds); });
}

kiln_status kiln_compile(kiln_client* client, const kiln_request* request, kiln_result** result) {
  if (result == nullptr) return KILN_INVALID_REQUEST;
  *result = nullptr;
  auto status = guarded(client != nullptr && request != nullptr,
                        [&] { *result = compile(client->client, *request).release(); });
  return *result != nullptr ? kiln_result_status(*result) : status;
}

}  // extern "C"
