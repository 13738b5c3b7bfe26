// Asks kilnd for the same kernels again and again, through libkiln, in one process and in turn:
//
//   hit_latency ROUNDS TARGET [-I DIR]... SOURCE...
//
// Prints a line a round: the milliseconds that each source took, in order. The first round pays for the
// connection and for reading the headers. Exits with 1 if anything but the first round was no hit.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <kiln/kiln.hpp>
#include <string>
#include <vector>

namespace {

kiln::Request requestFor(const std::string& path, const std::string& target,
                         const std::vector<std::string>& includeDirectories) {
  std::ifstream file(path, std::ios::binary);
  std::string source(std::istreambuf_iterator<char>(file), {});
  kiln::Request request(source);
  request.name(path).target(target);
  for (const auto& directory : includeDirectories) request.includeDirectory(directory);
  return request;
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 3) {
    std::cerr << "usage: hit_latency ROUNDS TARGET [-I DIR]... SOURCE...\n";
    return 2;
  }
  std::vector<std::string> directories;
  std::vector<std::string> paths;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "-I" && i + 1 < arguments.size()) {
      directories.push_back(arguments[++i]);
    } else {
      paths.push_back(arguments[i]);
    }
  }
  std::vector<kiln::Request> requests;
  for (const auto& path : paths) requests.push_back(requestFor(path, arguments[1], directories));

  kiln::Client client;
  for (int round = 0; round < std::atoi(arguments[0].c_str()); ++round) {
    for (const auto& request : requests) {
      auto start = std::chrono::steady_clock::now();
      auto result = client.compile(request);
      std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
      if (!result || (round > 0 && result.outcome() != KILN_HIT)) {
        std::cerr << "hit_latency: no hit: " << result.message() << result.missReason() << '\n';
        return 1;
      }
      std::cout << elapsed.count() << ' ';
    }
    std::cout << '\n';
  }
  return 0;
}
