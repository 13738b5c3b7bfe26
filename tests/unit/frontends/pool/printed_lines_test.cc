#include "frontends/pool/printed_lines.h"

#include <kj/async-io.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace kiln;

namespace {

struct Fixture {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  std::vector<std::string> lines;
  kj::Own<PrintedLines> printed =
      kj::heap<PrintedLines>(io.unixEventPort, [this](std::string_view line) { lines.emplace_back(line); });

  void print(const std::string& text) {
    REQUIRE(::write(printed->writeEnd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void untilLines(std::size_t count) {
    auto& timer = io.provider->getTimer();
    for (int i = 0; lines.size() < count && i < 20'000; ++i) {
      timer.afterDelay(1 * kj::MILLISECONDS).wait(io.waitScope);
    }
    REQUIRE(lines.size() == count);
  }
};

}  // namespace

TEST_CASE("Lines are handed over whole, in whatever parts they are printed") {
  Fixture fixture;
  fixture.print("one\ntw");
  fixture.untilLines(1);
  fixture.print("o\n\n");
  fixture.untilLines(3);
  CHECK(fixture.lines == std::vector<std::string>{"one", "two", ""});
}

TEST_CASE("What is printed at the end is handed over, with and without the end of its line") {
  Fixture fixture;
  fixture.print("last\nwords");
  fixture.printed = nullptr;
  CHECK(fixture.lines == std::vector<std::string>{"last", "words"});
}

TEST_CASE("A line without an end comes in parts, and nothing of it is lost") {
  Fixture fixture;
  const std::string text(5000, 'x');
  fixture.print(text + "\n");
  fixture.untilLines(5);
  std::string all;
  for (const auto& line : fixture.lines) {
    CHECK(line.size() <= 1024);
    all += line;
  }
  CHECK(all == text);
}

TEST_CASE("More than is read at once is read all the same") {
  Fixture fixture;
  const std::string line(999, 'x');
  for (int i = 0; i < 60; ++i) fixture.print(line + "\n");
  fixture.untilLines(60);
}
