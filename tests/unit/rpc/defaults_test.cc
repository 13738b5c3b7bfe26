#include "rpc/defaults.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>

using namespace kiln;

namespace {

// Sets a variable, or removes it, for as long as it lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  }
  ~ScopedVariable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("the default socket is in the user's runtime directory, or in /run without one") {
  {
    ScopedVariable runtime("XDG_RUNTIME_DIR", "/run/user/7");
    CHECK(defaultSocket() == "/run/user/7/kiln/kilnd.sock");
  }
  for (const char* none : {static_cast<const char*>(nullptr), ""}) {
    ScopedVariable runtime("XDG_RUNTIME_DIR", none);
    CHECK(defaultSocket() == "/run/kiln/kilnd.sock");
  }
}

TEST_CASE("what is configured is not replaced by a default") {
  Config config;
  config.store = "/data";
  config.jobs = 3;
  config.compiler = "/bin/sh";
  REQUIRE(fillDefaults(config));
  CHECK(config.store == "/data");
  CHECK(config.jobs == 3);
  CHECK(config.compiler == "/bin/sh");
}

TEST_CASE("the default store follows XDG_STATE_HOME and there is a job for each processor") {
  ScopedVariable state("XDG_STATE_HOME", "/home/me/state");
  Config config;
  config.compiler = "/bin/sh";
  REQUIRE(fillDefaults(config));
  CHECK(config.store == "/home/me/state/kiln");
  CHECK(config.jobs >= 1);
}

TEST_CASE("a compiler program that cannot be run is an error that names it") {
  Config config;
  config.compiler = "/nonexistent/kiln-compiler";
  auto filled = fillDefaults(config);
  REQUIRE_FALSE(filled);
  CHECK(filled.error().find("/nonexistent/kiln-compiler") != std::string::npos);
  // Nor is there one beside this test's program.
  config.compiler.clear();
  filled = fillDefaults(config);
  REQUIRE_FALSE(filled);
  CHECK(filled.error().find("kiln-compiler is neither ") != std::string::npos);
}
