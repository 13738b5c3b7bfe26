#include "client/cli/progress.h"

#include <catch2/catch.hpp>

using namespace kiln::cli;
using namespace std::chrono_literals;

TEST_CASE("A bar is as full as the work is done") {
  CHECK(progressBar(0, 4, 8) == "........");
  CHECK(progressBar(1, 4, 8) == "##......");
  CHECK(progressBar(4, 4, 8) == "########");
  CHECK(progressBar(0, 0, 8) == "########");
}

TEST_CASE("The time left follows from the time that was taken, and is not told where nothing is known") {
  CHECK(progressText("kernels", 0, 40, 3s) == "0 / 40 kernels");
  CHECK(progressText("kernels", 10, 40, 30s) == "10 / 40 kernels, 1:30 left");
  CHECK(progressText("kernels", 39, 40, 78s) == "39 / 40 kernels, 0:02 left");
  CHECK(progressText("kernels", 40, 40, 80s) == "40 / 40 kernels");
}

TEST_CASE("A line of progress keeps to the terminal, and no name breaks it") {
  const std::string bar = progressBar(1, 2, 8);
  CHECK(progressLine(bar, "1 / 2 kernels", "k.cu: k", 80) == "[####....] 1 / 2 kernels  k.cu: k");
  CHECK(progressLine(bar, "1 / 2 kernels", "a\x1b[2J\nb", 80) == "[####....] 1 / 2 kernels  a\\x1b[2J\\nb");
  CHECK(progressLine(bar, "1 / 2 kernels", "k.cu: scale", 32) == "[####....] 1 / 2 kernels  k.c...");
  CHECK(progressLine(bar, "1 / 2 kernels", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 30) ==
        "[####....] 1 / 2 kernels  \xc3\xa4...");
  CHECK(progressLine("aaaaaaaa", "1 / 2 kernels", "k.cu: k", 9) == "[aaaaa...");
}
