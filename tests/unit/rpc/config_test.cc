#include "rpc/config.h"

#include <catch2/catch.hpp>
#include <string>

using namespace kiln;

namespace {

std::string onlyError(const std::string& text) {
  auto config = parseConfig(text, "k.toml");
  REQUIRE_FALSE(config);
  REQUIRE(config.error().size() == 1);
  return config.error().front();
}

}  // namespace

TEST_CASE("an empty configuration gives the defaults") {
  auto config = parseConfig("", "k.toml");
  REQUIRE(config);
  CHECK(config->listen.empty());
  CHECK(config->queue == 4096);
  CHECK(config->compileTimeout == std::chrono::seconds(120));
  CHECK(config->fileTimeout == std::chrono::seconds(30));
  CHECK(config->toolchains.system);
}

TEST_CASE("every key of a configuration is read") {
  auto config = parseConfig(R"(
store = "/data/kiln"
compiler = "/opt/kiln/kiln-compiler"
jobs = 3
queue = 7
compile_timeout_seconds = 5
file_timeout_seconds = 6
shutdown_timeout_seconds = 0
memory_limit_mb = 512
max_source_mb = 2
log_level = "debug"
[[listen]]
path = "/run/kiln/a.sock"
mode = "0660"
group = "gpu"
domain = "team-a"
[[listen]]
path = "/run/kiln/b.sock"
lane = "locked"
[toolchains]
paths = ["/opt/cuda"]
python_prefixes = ["/opt/venv"]
system = false
)",
                            "k.toml");
  REQUIRE(config);
  CHECK(config->store == "/data/kiln");
  CHECK(config->compiler == "/opt/kiln/kiln-compiler");
  CHECK(config->jobs == 3);
  CHECK(config->queue == 7);
  CHECK(config->compileTimeout == std::chrono::seconds(5));
  CHECK(config->fileTimeout == std::chrono::seconds(6));
  CHECK(config->shutdownTimeout == std::chrono::seconds(0));
  CHECK(config->memoryLimitMegabytes == 512);
  CHECK(config->maxSourceMegabytes == 2);
  CHECK(config->logLevel == LogLevel::debug);
  REQUIRE(config->listen.size() == 2);
  CHECK(config->listen[0] == ListenerConfig{"/run/kiln/a.sock", 0660, "gpu", "team-a"});
  CHECK(config->listen[1] == ListenerConfig{"/run/kiln/b.sock", 0600, "", "default", Lane::locked});
  CHECK(config->toolchains.paths == std::vector<std::filesystem::path>{"/opt/cuda"});
  CHECK(config->toolchains.pythonPrefixes == std::vector<std::filesystem::path>{"/opt/venv"});
  CHECK_FALSE(config->toolchains.system);
}

TEST_CASE("a configuration that is described reads back the same") {
  auto config = parseConfig(
      "store = \"/a \\\"b\\\"\"\njobs = 2\nlog_level = \"error\"\n[[listen]]\npath = \"/s\"\nmode = "
      "\"0640\"\ndomain = \"x\"\nlane = \"locked\"\n"
      "[toolchains]\npaths = [\"/p\", \"/q\"]\nsystem = false\n",
      "k.toml");
  REQUIRE(config);
  auto again = parseConfig(describe(*config), "again.toml");
  REQUIRE(again);
  CHECK(again->store == config->store);
  CHECK(again->listen == config->listen);
  CHECK(again->toolchains.paths == config->toolchains.paths);
  CHECK(describe(*again) == describe(*config));
}

TEST_CASE("an unknown key is an error that names key, line and what is known") {
  auto error = onlyError("queue = 1\njbos = 2\n");
  CHECK(error.starts_with("k.toml:2: unknown key 'jbos'"));
  CHECK(error.find("jobs") != std::string::npos);
  error = onlyError("[toolchains]\npath = []\n");
  CHECK(error.starts_with("k.toml:2: unknown key 'toolchains.path'"));
  CHECK(error.find("python_prefixes") != std::string::npos);
}

TEST_CASE("a value of the wrong type or range is an error that says what would be right") {
  CHECK(onlyError("jobs = \"2\"") == "k.toml:1: 'jobs' must be an integer from 1 to 4096; here is '2'");
  CHECK(onlyError("jobs = 0") == "k.toml:1: 'jobs' must be an integer from 1 to 4096; here is 0");
  CHECK(onlyError("\nstore = 3") == "k.toml:2: 'store' must be an absolute path; here is 3");
  CHECK(onlyError("store = 'kiln'") == "k.toml:1: 'store' must be an absolute path; here is 'kiln'");
  CHECK(onlyError("log_level = 'loud'").find("debug, info, warning or error") != std::string::npos);
  CHECK(onlyError("[toolchains]\nsystem = 1").find("'toolchains.system' must be true or false") !=
        std::string::npos);
  CHECK(onlyError("[toolchains]\npaths = ['x']").find("a list of absolute paths") != std::string::npos);
  CHECK(onlyError("listen = 'x'").find("[[listen]]") != std::string::npos);
  CHECK(onlyError("toolchains = 1").find("[toolchains]") != std::string::npos);
}

TEST_CASE("a listener needs a path of its own, an octal mode and a domain's name") {
  CHECK(onlyError("[[listen]]\nmode = '0660'\n").find("needs 'path'") != std::string::npos);
  CHECK(onlyError("[[listen]]\npath = '/a'\nmode = '0888'\n").starts_with("k.toml:3: 'listen.mode'"));
  CHECK(onlyError("[[listen]]\npath = '/a'\nmode = 0o660\n").starts_with("k.toml:3: 'listen.mode'"));
  CHECK(onlyError("[[listen]]\npath = '/a'\ndomain = 'Team A'\n").starts_with("k.toml:3: 'listen.domain'"));
  CHECK(onlyError("[[listen]]\npath = '/a'\nlane = 'closed'\n") ==
        "k.toml:3: 'listen.lane' must be open or locked; here is 'closed'");
  CHECK(onlyError("[[listen]]\npath = '/a'\n[[listen]]\npath = '/a'\n")
            .starts_with("k.toml:4: two [[listen]]"));
  CHECK(onlyError("[[listen]]\npath = '/" + std::string(200, 'a') + "'\n").find("201 bytes") !=
        std::string::npos);
}

TEST_CASE("text that is no TOML is an error with its line") {
  CHECK(onlyError("queue = 1\njobs = = 2\n").starts_with("k.toml:2: "));
}

TEST_CASE("every error of a configuration is reported") {
  auto config = parseConfig("jobs = 0\nstore = 1\n[[listen]]\nnope = 1\n", "k.toml");
  REQUIRE_FALSE(config);
  CHECK(config.error().size() == 4);
}

TEST_CASE("a configuration file that cannot be read is an error that names it") {
  auto config = readConfig("/nonexistent/kilnd.toml");
  REQUIRE_FALSE(config);
  CHECK(config.error().front().find("/nonexistent/kilnd.toml") != std::string::npos);
}

TEST_CASE("the example configuration is right") {
  auto config = readConfig(std::filesystem::path(KILN_SOURCE_DIR) / "deploy" / "kilnd.toml");
  if (!config) FAIL(config.error().front());
  CHECK(config->listen == std::vector<ListenerConfig>{{"/run/kiln/kilnd.sock", 0660, "", "default"}});
}
