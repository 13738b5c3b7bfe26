// The C ABI, through libkiln.so.
#include <kiln/kiln.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "tests/support/temporary_directory.h"
#include "tests/unit/client/stand_in_daemon.h"

using kiln::test::StandInDaemon;
using kiln::test::TemporaryDirectory;

namespace {

template <auto Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};
using Options = std::unique_ptr<kiln_client_options, Freed<kiln_client_options_free>>;
using Client = std::unique_ptr<kiln_client, Freed<kiln_client_free>>;
using Request = std::unique_ptr<kiln_request, Freed<kiln_request_free>>;
using Result = std::unique_ptr<kiln_result, Freed<kiln_result_free>>;

Client clientOf(const TemporaryDirectory& directory) {
  Options options(kiln_client_options_new());
  REQUIRE(kiln_client_options_set_socket(options.get(), (directory.path() / "kilnd.sock").c_str()) ==
          KILN_OK);
  return Client(kiln_client_new(options.get()));
}

Request kernel(const char* target = "sm_90") {
  Request request(kiln_request_new());
  REQUIRE(kiln_request_set_source(request.get(), "a", 1) == KILN_OK);
  REQUIRE(kiln_request_set_target(request.get(), target) == KILN_OK);
  return request;
}

Result compiled(const Client& client, const Request& request, kiln_status expected) {
  kiln_result* result = nullptr;
  CHECK(kiln_compile(client.get(), request.get(), &result) == expected);
  REQUIRE(result != nullptr);
  CHECK(kiln_result_status(result) == expected);
  return Result(result);
}

}  // namespace

TEST_CASE("a result tells all that came of the compile") {
  TemporaryDirectory directory;
  StandInDaemon daemon(directory.path() / "kilnd.sock");
  auto client = clientOf(directory);
  auto result = compiled(client, kernel(), KILN_OK);

  CHECK(kiln_result_outcome(result.get()) == KILN_MISS);
  CHECK(std::string(kiln_result_miss_reason(result.get())) == "never seen");
  CHECK(std::string(kiln_result_message(result.get())).empty());
  CHECK(std::string(kiln_result_not_remembered(result.get())).empty());
  CHECK(std::string(kiln_result_key(result.get())) == "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
  CHECK(std::string(kiln_result_toolchain(result.get())) == "nvrtc 13.0");
  CHECK(kiln_result_compile_ms(result.get()) == 12.5);
  CHECK(kiln_result_total_ms(result.get()) > 0);
  size_t logSize = 0;
  CHECK(std::string(kiln_result_log(result.get(), &logSize)) == "a warning\n");
  CHECK(logSize == 10);

  REQUIRE(kiln_result_output_count(result.get()) == 1);
  CHECK(kiln_result_output_kind(result.get(), 0) == KILN_OUTPUT_CUBIN);
  std::string bytes(static_cast<const char*>(kiln_result_output_data(result.get(), 0)),
                    kiln_result_output_size(result.get(), 0));
  CHECK(bytes == StandInDaemon::binaryOf("a"));
  CHECK(std::string(kiln_result_output_sha256(result.get(), 0)).substr(0, 4) == "abab");
  CHECK(std::string(kiln_result_lowered_name(result.get(), "scale<float>")) == "_Z5scaleIfE");
  CHECK(std::string(kiln_result_lowered_name(result.get(), "other")).empty());
  CHECK(kiln_result_lowered_name_count(result.get()) == 1);
  CHECK(std::string(kiln_result_lowered_name_expression(result.get(), 0)) == "scale<float>");
  CHECK(std::string(kiln_result_lowered_name_at(result.get(), 0)) == "_Z5scaleIfE");
  REQUIRE(kiln_result_kernel_count(result.get()) == 1);
  CHECK(std::string(kiln_result_kernel_name(result.get(), 0)) == "_Z5scaleIfE");
  CHECK(kiln_result_kernel_resource(result.get(), 0, KILN_RESOURCE_REGISTERS) == 24);
  CHECK(kiln_result_kernel_resource(result.get(), 0, KILN_RESOURCE_MAX_THREADS) == -1);
  CHECK(std::string(kiln_result_resources_problem(result.get())) == "the other has no symbol table");
  REQUIRE(kiln_result_dependency_count(result.get()) == 1);
  CHECK(std::string(kiln_result_dependency_path(result.get(), 0)) == "<source>/v.h");
  CHECK(kiln_result_dependency_kind(result.get(), 0) == KILN_DEPENDENCY_FILE);
  CHECK(std::string(kiln_result_dependency_sha256(result.get(), 0)).substr(0, 4) == "0f0f");

  CHECK(kiln_result_outcome(compiled(client, kernel(), KILN_OK).get()) == KILN_HIT);
}

TEST_CASE("an index out of range gives nothing") {
  TemporaryDirectory directory;
  StandInDaemon daemon(directory.path() / "kilnd.sock");
  auto result = compiled(clientOf(directory), kernel(), KILN_OK);
  CHECK(kiln_result_output_data(result.get(), 1) == nullptr);
  CHECK(kiln_result_output_size(result.get(), 1) == 0);
  CHECK(std::string(kiln_result_output_sha256(result.get(), 1)).empty());
  CHECK(std::string(kiln_result_dependency_path(result.get(), 1)).empty());
  CHECK(std::string(kiln_result_lowered_name_at(result.get(), 1)).empty());
  CHECK(std::string(kiln_result_kernel_name(result.get(), 1)).empty());
  CHECK(kiln_result_kernel_resource(result.get(), 1, KILN_RESOURCE_REGISTERS) == -1);
}

TEST_CASE("a daemon that cannot be reached is a status with a message") {
  TemporaryDirectory directory;
  auto result = compiled(clientOf(directory), kernel(), KILN_UNREACHABLE);
  CHECK_THAT(std::string(kiln_result_message(result.get())), Catch::Contains("Start kilnd"));
  CHECK(kiln_result_output_count(result.get()) == 0);
}

TEST_CASE("what is no target becomes the result") {
  TemporaryDirectory directory;
  auto result = compiled(clientOf(directory), kernel("i386"), KILN_UNSUPPORTED_TARGET);
  CHECK_THAT(std::string(kiln_result_message(result.get())), Catch::Contains("i386"));
}

TEST_CASE("a virtual architecture goes with the compile, and nothing is looked up before") {
  TemporaryDirectory directory;
  StandInDaemon daemon(directory.path() / "kilnd.sock");
  auto client = clientOf(directory);
  auto request = kernel();
  REQUIRE(kiln_request_set_virtual_architecture(request.get(), "compute_80") == KILN_OK);
  compiled(client, request, KILN_OK);
  CHECK(daemon.seen().virtualArchitecture == "compute_80");
  CHECK(daemon.seen().lookups == 0);
  kiln_request_set_virtual_architecture(request.get(), "i386");
  auto refused = compiled(client, request, KILN_UNSUPPORTED_TARGET);
  CHECK_THAT(std::string(kiln_result_message(refused.get())), Catch::Contains("i386"));
  kiln_request_set_virtual_architecture(request.get(), "");
  compiled(client, request, KILN_OK);
  CHECK(daemon.seen().lookups == 1);
}

TEST_CASE("null and meaningless arguments are invalid and change nothing") {
  auto request = kernel();
  CHECK(kiln_request_set_source(nullptr, "a", 1) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_source(request.get(), nullptr, 1) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_source(request.get(), nullptr, 0) == KILN_OK);
  CHECK(kiln_request_set_source_name(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_working_directory(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_language(request.get(), static_cast<kiln_language>(6)) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_target(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_include_directory(request.get(), "") == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_virtual_architecture(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_option(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_header(request.get(), "", "", 0) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_input(request.get(), "", "", 0) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_input(request.get(), "a.ptx", nullptr, 1) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_name_expression(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_add_output(request.get(), static_cast<kiln_output_kind>(99)) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_toolchain(request.get(), nullptr) == KILN_INVALID_REQUEST);
  CHECK(kiln_request_set_priority(request.get(), static_cast<kiln_priority>(9)) == KILN_INVALID_REQUEST);
  CHECK(kiln_client_options_set_socket(nullptr, "/s") == KILN_INVALID_REQUEST);
  CHECK(kiln_client_options_allow_directory(nullptr, "/s") == KILN_INVALID_REQUEST);

  kiln_result* result = nullptr;
  CHECK(kiln_compile(nullptr, request.get(), &result) == KILN_INVALID_REQUEST);
  CHECK(result == nullptr);
  Client client(kiln_client_new(nullptr));
  CHECK(kiln_compile(client.get(), nullptr, &result) == KILN_INVALID_REQUEST);
  CHECK(kiln_compile(client.get(), request.get(), nullptr) == KILN_INVALID_REQUEST);
}

TEST_CASE("what is asked of null is empty, and freeing null does nothing") {
  CHECK(kiln_result_status(nullptr) == KILN_INVALID_REQUEST);
  CHECK(std::string(kiln_result_message(nullptr)).empty());
  CHECK(std::string(kiln_result_log(nullptr, nullptr)).empty());
  CHECK(std::string(kiln_result_key(nullptr)).empty());
  CHECK(kiln_result_output_count(nullptr) == 0);
  CHECK(kiln_result_output_data(nullptr, 0) == nullptr);
  CHECK(std::string(kiln_result_lowered_name(nullptr, "a")).empty());
  CHECK(kiln_result_dependency_count(nullptr) == 0);
  CHECK(std::string(kiln_client_socket(nullptr)).empty());
  kiln_client_free(nullptr);
  kiln_client_options_free(nullptr);
  kiln_request_free(nullptr);
  kiln_result_free(nullptr);
}

TEST_CASE("every status has its name") {
  CHECK(std::string(kiln_status_name(KILN_OK)) == "ok");
  CHECK(std::string(kiln_status_name(KILN_COMPILE_ERROR)) == "compile_error");
  CHECK(std::string(kiln_status_name(KILN_FILE_UNAVAILABLE)) == "file_unavailable");
  CHECK(std::string(kiln_status_name(KILN_UNREACHABLE)) == "unreachable");
  CHECK(std::string(kiln_status_name(KILN_OUT_OF_MEMORY)) == "out_of_memory");
  CHECK(std::string(kiln_status_name(static_cast<kiln_status>(999))) == "unknown");
  CHECK(std::strlen(kiln_version()) > 0);
}
