// kiln for C++17: kiln.h with owners and builders. Header-only; what each call does and how long it blocks
// stands there.
//
//     kiln::Client client;
//     auto result = client.compile(kiln::Request(source).name("saxpy.cu").target("sm_90"));
//     if (!result) throw std::runtime_error(result.message() + "\n" + std::string(result.log()));
//     cuModuleLoadData(&module, result.cubin().data());
//
// std::bad_alloc is thrown where memory is short, std::invalid_argument for a string that has no meaning (an
// empty directory). Everything else that may go wrong is in the result.
#ifndef KILN_KILN_HPP
#define KILN_KILN_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kiln/kiln.h"

namespace kiln {

namespace detail {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

template <typename T>
T* require(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

inline void check(kiln_status status, const char* what) {
  if (status == KILN_OUT_OF_MEMORY) throw std::bad_alloc();
  if (status != KILN_OK) throw std::invalid_argument(std::string("kiln: ") + what + " has no meaning");
}

inline std::uint32_t milliseconds(std::chrono::milliseconds time) {
  if (time.count() < 0) return 0;
  return time.count() > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(time.count());
}

}  // namespace detail

// What came of a compile. The views that it gives live as long as it. Movable, not copyable.
class Result {
 public:
  struct Output {
    kiln_output_kind kind;
    std::string_view bytes;
    std::string_view sha256;  // 64 hexadecimal digits
  };
  struct Dependency {
    std::string_view path;
    kiln_dependency_kind kind;
    std::string_view sha256;
  };

  // What a kernel of the machine code needs of the machine.
  class Kernel {
   public:
    Kernel(const kiln_result* result, std::size_t index) : result_(result), index_(index) {}

    [[nodiscard]] std::string_view name() const { return kiln_result_kernel_name(result_, index_); }
    // Nothing where the binary does not tell.
    [[nodiscard]] std::optional<std::uint32_t> resource(kiln_resource resource) const {
      const auto amount = kiln_result_kernel_resource(result_, index_, resource);
      if (amount < 0) return std::nullopt;
      return static_cast<std::uint32_t>(amount);
    }

   private:
    const kiln_result* result_;
    std::size_t index_;
  };

  explicit Result(kiln_result* result) : result_(result) {}

  // Whether there are outputs.
  [[nodiscard]] bool ok() const { return status() == KILN_OK; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] kiln_status status() const { return kiln_result_status(result_.get()); }
  [[nodiscard]] std::string_view statusName() const { return kiln_status_name(status()); }
  [[nodiscard]] std::string message() const { return kiln_result_message(result_.get()); }
  [[nodiscard]] std::string_view log() const {
    std::size_t size = 0;
    const char* text = kiln_result_log(result_.get(), &size);
    return {text, size};
  }

  [[nodiscard]] kiln_outcome outcome() const { return kiln_result_outcome(result_.get()); }
  [[nodiscard]] std::string_view outcomeName() const {
    return outcome() == KILN_HIT ? "hit" : outcome() == KILN_JOINED ? "joined" : "miss";
  }
  [[nodiscard]] std::string_view missReason() const { return kiln_result_miss_reason(result_.get()); }
  [[nodiscard]] std::string_view notRemembered() const { return kiln_result_not_remembered(result_.get()); }
  [[nodiscard]] std::string_view key() const { return kiln_result_key(result_.get()); }
  [[nodiscard]] std::string_view toolchain() const { return kiln_result_toolchain(result_.get()); }
  [[nodiscard]] double compileMilliseconds() const { return kiln_result_compile_ms(result_.get()); }
  [[nodiscard]] double totalMilliseconds() const { return kiln_result_total_ms(result_.get()); }

  [[nodiscard]] std::vector<Output> outputs() const {
    std::vector<Output> outputs;
    for (std::size_t i = 0; i < kiln_result_output_count(result_.get()); ++i) outputs.push_back(output(i));
    return outputs;
  }
  // The bytes of the output of a kind; empty if there is none.
  [[nodiscard]] std::string_view bytes(kiln_output_kind kind) const {
    for (std::size_t i = 0; i < kiln_result_output_count(result_.get()); ++i) {
      if (kiln_result_output_kind(result_.get(), i) == kind) return output(i).bytes;
    }
    return {};
  }
  [[nodiscard]] std::string_view cubin() const { return bytes(KILN_OUTPUT_CUBIN); }
  [[nodiscard]] std::string_view ptx() const { return bytes(KILN_OUTPUT_PTX); }
  [[nodiscard]] std::string_view ltoir() const { return bytes(KILN_OUTPUT_LTOIR); }
  [[nodiscard]] std::string_view hsaco() const { return bytes(KILN_OUTPUT_HSACO); }
  [[nodiscard]] std::string_view bitcode() const { return bytes(KILN_OUTPUT_BITCODE); }
  [[nodiscard]] std::string_view sharedObject() const { return bytes(KILN_OUTPUT_SHARED_OBJECT); }

  // A C string: cuModuleGetFunction(&function, module, result.loweredName("scale<float>")).
  [[nodiscard]] const char* loweredName(const std::string& expression) const {
    return kiln_result_lowered_name(result_.get(), expression.c_str());
  }
  // None, and the problem says why, if the metadata of the machine code could not be read.
  [[nodiscard]] std::vector<Kernel> kernels() const {
    std::vector<Kernel> kernels;
    for (std::size_t i = 0; i < kiln_result_kernel_count(result_.get()); ++i) kernels.emplace_back(get(), i);
    return kernels;
  }
  [[nodiscard]] std::string_view resourcesProblem() const {
    return kiln_result_resources_problem(result_.get());
  }
  [[nodiscard]] std::vector<Dependency> dependencies() const {
    std::vector<Dependency> dependencies;
    for (std::size_t i = 0; i < kiln_result_dependency_count(result_.get()); ++i) {
      dependencies.push_back({kiln_result_dependency_path(result_.get(), i),
                              kiln_result_dependency_kind(result_.get(), i),
                              kiln_result_dependency_sha256(result_.get(), i)});
    }
    return dependencies;
  }

  [[nodiscard]] const kiln_result* get() const { return result_.get(); }

 private:
  [[nodiscard]] Output output(std::size_t index) const {
    const auto* data = static_cast<const char*>(kiln_result_output_data(result_.get(), index));
    return {kiln_result_output_kind(result_.get(), index),
            {data, kiln_result_output_size(result_.get(), index)},
            kiln_result_output_sha256(result_.get(), index)};
  }

  std::unique_ptr<kiln_result, detail::Deleter<kiln_result_free>> result_;
};

// What was compiled, loaded. Unloads when it is destroyed: no function of it may run any more. Movable.
class Module {
 public:
  explicit Module(kiln_module* module) : module_(module) {}

  // Whether it is loaded.
  [[nodiscard]] bool ok() const { return status() == KILN_OK; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] kiln_status status() const { return kiln_module_status(module_.get()); }
  [[nodiscard]] std::string_view statusName() const { return kiln_status_name(status()); }
  // Of the load, or of the last function that was asked for in vain.
  [[nodiscard]] std::string message() const { return kiln_module_message(module_.get()); }
  // What the compiler wrote: why, where a compile error is what came of it. As long as the module lives.
  [[nodiscard]] std::string_view log() const {
    if (result() == nullptr) return {};
    std::size_t size = 0;
    const char* text = kiln_result_log(result(), &size);
    return {text, size};
  }
  // For what else there is of the result; null if nothing was asked of kilnd.
  [[nodiscard]] const kiln_result* result() const { return kiln_module_result(module_.get()); }
  // A CUmodule, a CUlibrary, a hipModule_t: static_cast<CUmodule>(module.handle()).
  [[nodiscard]] void* handle() const { return kiln_module_handle(module_.get()); }

  // A CUfunction, a CUkernel, a hipFunction_t; null if there is none of that name, and message() says so.
  [[nodiscard]] void* function(const std::string& name) {
    void* function = nullptr;
    kiln_module_function(module_.get(), name.c_str(), &function);
    return function;
  }
  // Of the host, a function to call: module.function<void(float, const float*, float*,
  // std::int64_t)>("saxpy"). The type is the caller's word; nothing checks it.
  template <typename Signature>
  [[nodiscard]] Signature* function(const std::string& name) {
    return reinterpret_cast<Signature*>(function(name));
  }

 private:
  std::unique_ptr<kiln_module, detail::Deleter<kiln_module_free>> module_;
};

// Everything that decides the output. Each setter gives the request back, so that they can be chained.
class Request {
 public:
  explicit Request(std::string_view source) : request_(detail::require(kiln_request_new())) {
    detail::check(kiln_request_set_source(get(), source.data(), source.size()), "the source");
  }

  Request& language(kiln_language language) {
    detail::check(kiln_request_set_language(get(), language), "the language");
    return *this;
  }
  Request& name(const std::string& name) {
    detail::check(kiln_request_set_source_name(get(), name.c_str()), "the source's name");
    return *this;
  }
  Request& workingDirectory(const std::string& directory) {
    detail::check(kiln_request_set_working_directory(get(), directory.c_str()), "the working directory");
    return *this;
  }
  Request& target(const std::string& target) {
    detail::check(kiln_request_set_target(get(), target.c_str()), "the target");
    return *this;
  }
  Request& virtualArchitecture(const std::string& architecture) {
    detail::check(kiln_request_set_virtual_architecture(get(), architecture.c_str()),
                  "the virtual architecture");
    return *this;
  }
  Request& includeDirectory(const std::string& directory) {
    detail::check(kiln_request_add_include_directory(get(), directory.c_str()), "the include directory");
    return *this;
  }
  Request& option(const std::string& option) {
    detail::check(kiln_request_add_option(get(), option.c_str()), "the option");
    return *this;
  }
  Request& header(const std::string& name, std::string_view content) {
    detail::check(kiln_request_add_header(get(), name.c_str(), content.data(), content.size()), "the header");
    return *this;
  }
  Request& input(const std::string& name, std::string_view content) {
    detail::check(kiln_request_add_input(get(), name.c_str(), content.data(), content.size()), "the input");
    return *this;
  }
  Request& nameExpression(const std::string& expression) {
    detail::check(kiln_request_add_name_expression(get(), expression.c_str()), "the name expression");
    return *this;
  }
  Request& output(kiln_output_kind kind) {
    detail::check(kiln_request_add_output(get(), kind), "the output");
    return *this;
  }
  Request& timestamp(std::uint64_t seconds) {
    detail::check(kiln_request_set_timestamp(get(), seconds), "the timestamp");
    return *this;
  }
  Request& toolchain(const std::string& toolchain) {
    detail::check(kiln_request_set_toolchain(get(), toolchain.c_str()), "the toolchain");
    return *this;
  }
  Request& priority(kiln_priority priority) {
    detail::check(kiln_request_set_priority(get(), priority), "the priority");
    return *this;
  }
  Request& timeout(std::chrono::milliseconds timeout) {
    detail::check(kiln_request_set_timeout_ms(get(), detail::milliseconds(timeout)), "the timeout");
    return *this;
  }

  [[nodiscard]] kiln_request* get() const { return request_.get(); }

 private:
  std::unique_ptr<kiln_request, detail::Deleter<kiln_request_free>> request_;
};

struct ClientOptions {
  std::string socket;                           // empty: the default
  std::string name;                             // program and version, for the daemon's log
  std::vector<std::string> allowedDirectories;  // files below these may be read too
  std::chrono::milliseconds connectTimeout{5'000};
};

// The connection to kilnd. compile() may be called by any number of threads at once.
class Client {
 public:
  Client() : client_(detail::require(kiln_client_new(nullptr))) {}
  explicit Client(const ClientOptions& options) : client_(make(options)) {}

  // Blocks until the outputs, or the reason why there are none, are there.
  [[nodiscard]] Result compile(const Request& request) const {
    kiln_result* result = nullptr;
    auto status = kiln_compile(client_.get(), request.get(), &result);
    if (result == nullptr) detail::check(status, "the request");
    return Result(result);
  }

  // Compiles and loads, and blocks until that is done.
  [[nodiscard]] Module load(const Request& request, kiln_loader loader) const {
    kiln_module* module = nullptr;
    auto status = kiln_load(client_.get(), request.get(), loader, &module);
    if (module == nullptr) detail::check(status, "the request, or the loader,");
    return Module(module);
  }

  [[nodiscard]] std::string socket() const { return kiln_client_socket(client_.get()); }
  [[nodiscard]] kiln_client* get() const { return client_.get(); }

 private:
  static kiln_client* make(const ClientOptions& from) {
    std::unique_ptr<kiln_client_options, detail::Deleter<kiln_client_options_free>> options(
        detail::require(kiln_client_options_new()));
    if (!from.socket.empty()) {
      detail::check(kiln_client_options_set_socket(options.get(), from.socket.c_str()), "the socket");
    }
    detail::check(kiln_client_options_set_name(options.get(), from.name.c_str()), "the client's name");
    for (const auto& directory : from.allowedDirectories) {
      detail::check(kiln_client_options_allow_directory(options.get(), directory.c_str()),
                    "the allowed directory");
    }
    detail::check(
        kiln_client_options_set_connect_timeout_ms(options.get(), detail::milliseconds(from.connectTimeout)),
        "the connect timeout");
    return detail::require(kiln_client_new(options.get()));
  }

  std::unique_ptr<kiln_client, detail::Deleter<kiln_client_free>> client_;
};

}  // namespace kiln

#endif  // KILN_KILN_HPP
