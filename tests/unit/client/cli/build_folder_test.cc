#include "client/cli/build_folder.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <optional>

#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::cli;
using Catch::Contains;

TEST_CASE("A folder that was made for a build goes with it, unless there is something to keep") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "app.kiln.partial";
  {
    auto folder = BuildFolder::take(path);
    REQUIRE(folder);
    std::ofstream(path / "kilnd.log") << "started\n";
  }
  CHECK_FALSE(std::filesystem::exists(path));
  BuildFolder::take(path)->keep(true);
  CHECK(std::filesystem::exists(path));
  (void)BuildFolder::take(path);  // it was there before
  CHECK(std::filesystem::exists(path));
  BuildFolder::take(path)->keep(false);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("A folder is one build's at a time, and the second leaves it alone") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "app.kiln.partial";
  std::optional<BuildFolder> first(std::move(BuildFolder::take(path).value()));
  const auto second = BuildFolder::take(path);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error(), Contains("another build") && Contains(path.string()));
  CHECK(std::filesystem::exists(path));
  first.reset();
  CHECK(BuildFolder::take(path));
}

TEST_CASE("A folder that cannot be made is told") {
  CHECK_THAT(BuildFolder::take("/nowhere/app.kiln.partial").error(), Contains("/nowhere/app.kiln.partial"));
}
