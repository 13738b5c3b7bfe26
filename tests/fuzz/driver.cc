// Runs a libFuzzer target without libFuzzer: its seeds, then a fixed number of mutations of them from a fixed
// start, so that every run is the same.
//
//   PROGRAM [MUTATIONS]             20000 unless given
//   PROGRAM --write-seeds DIRECTORY a seed corpus for libFuzzer itself
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "tests/fuzz/seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// One to four small changes of the kinds that parsers trip over.
std::string mutated(std::string input, std::mt19937_64& random) {
  constexpr unsigned char kInteresting[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (auto changes = 1 + random() % 4; changes > 0; --changes) {
    auto at = input.empty() ? 0 : random() % input.size();
    switch (input.empty() ? 4 : random() % 5) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
        break;
      case 1:
        input[at] = static_cast<char>(kInteresting[random() % sizeof kInteresting]);
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.erase(at, 1 + random() % 8);
        break;
      default:
        input.insert(at, 1 + random() % 8, static_cast<char>(random()));
        break;
    }
  }
  return input;
}

int writeSeeds(const std::string& directory) {
  int number = 0;
  for (const auto& seed : kiln::fuzz::seeds()) {
    std::ofstream file(directory + "/seed-" + std::to_string(number++), std::ios::binary);
    if (!(file << seed).flush()) {
      std::fprintf(stderr, "cannot write a seed to %s; does the directory exist?\n", directory.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--write-seeds") return writeSeeds(argv[2]);
  const auto seeds = kiln::fuzz::seeds();
  run({});
  for (const auto& seed : seeds) run(seed);
  const long mutations = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 20'000;
  std::mt19937_64 random(1);  // the same each time
  for (long i = 0; i < mutations; ++i) run(mutated(seeds[random() % seeds.size()], random));
  std::printf("%zu seeds and %ld mutations, no crash\n", seeds.size(), mutations);
  return 0;
}
