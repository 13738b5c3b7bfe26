// Golden files: what a program prints, kept beside the test that holds it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// The file `name` in golden/ beside this header.
inline std::string golden(const std::string& name) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "golden" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
