// Writes a bundle of many small kernels, none of which anyone has compiled: many_kernels PATH KERNELS BYTES
// [TARGETS]. Each has an entry for as many targets, one unless it is said, with BYTES in place of a cubin.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "bundle/bundle_file.h"
#include "jit/request_hash.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

const std::string kToolchain = "nvrtc 99.0";

std::string randomBytes(std::size_t bytes, std::mt19937_64& random) {
  std::string code(bytes, '\0');
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes; at += sizeof(std::uint64_t)) {
    const auto word = random();
    for (std::size_t i = 0; i < sizeof word; ++i) code[at + i] = static_cast<char>(word >> (8 * i));
  }
  return code;
}

bundle::BundledEntry entryFor(const std::string& name, const std::string& target, std::string code) {
  bundle::BundledEntry entry;
  entry.request.target = {Target::Kind::nvidiaReal, target};
  entry.request.source = "extern \"C\" __global__ void " + name + "() {}\n";
  entry.request.names = {"/app/" + name + ".cu", "/app", {}};
  entry.request.outputs = {OutputKind::cubin};
  entry.toolchainName = kToolchain;
  entry.toolchainIdentity = sha256(kToolchain);
  entry.dependencies =
      normalised({{{FileRole::sourceDirectory, 0, "common.h"}, FileKind::absent, 0, {}, {}, 0}});
  Artifact artifact;
  const auto digest = sha256(code);
  artifact.outputs.push_back({OutputKind::cubin, std::move(code), digest});
  entry.result = std::move(artifact);
  return entry;
}

bundle::BundledKernel kernelNumber(std::size_t number, std::size_t bytes, std::size_t targets,
                                   std::mt19937_64& random) {
  const auto name = "kernel_" + std::to_string(number);
  bundle::BundledKernel kernel{name + ".cu: " + name, sha256(name), {}};
  for (std::size_t i = 0; i < targets; ++i) {
    kernel.entries.push_back(entryFor(name, "sm_" + std::to_string(90 + i), randomBytes(bytes, random)));
  }
  return kernel;
}

int write(const char* path, std::size_t kernels, std::size_t bytes, std::size_t targets) {
  std::mt19937_64 random(1);
  std::vector<bundle::BundledKernel> all;
  for (std::size_t i = 0; i < kernels; ++i) all.push_back(kernelNumber(i, bytes, targets, random));
  Toolchain toolchain;
  toolchain.name = kToolchain;
  toolchain.frontend = "nvrtc";
  toolchain.version = "99.0";
  toolchain.identity = sha256(kToolchain);
  toolchain.targets = {"sm_90"};
  bundle::BundleIndex index;
  const auto written = bundle::writeBundle(path, std::move(all), {toolchain}, index);
  if (written) return 0;
  std::fprintf(stderr, "many_kernels: %s\n", written.error().message.c_str());
  return 1;
}

}  // namespace
}  // namespace kiln

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: many_kernels PATH KERNELS BYTES [TARGETS]\n");
    return 2;
  }
  const auto number = [&](int at) { return std::strtoul(argv[at], nullptr, 10); };
  return kiln::write(argv[1], number(2), number(3), argc == 5 ? number(4) : 1);
}
