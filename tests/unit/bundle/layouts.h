// Layouts on disk, for tests.
#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "bundle/oci_layout.h"
#include "tests/support/sample_layout.h"
#include "tests/support/sample_tar.h"
#include "tests/support/temporary_directory.h"

namespace kiln::test {

inline void writeFile(const std::filesystem::path& path, std::string_view bytes) {
  REQUIRE(std::ofstream(path, std::ios::binary)
              .write(bytes.data(), static_cast<std::streamsize>(bytes.size()))
              .flush());
}

// A bit of a file that is wrong for a while. In place: a file that is written anew costs a wait for the disk.
class FlippedBit {
 public:
  FlippedBit(const std::filesystem::path& path, std::size_t bit)
      : file_(path, std::ios::binary | std::ios::in | std::ios::out),
        at_(static_cast<std::streamoff>(bit / 8)) {
    REQUIRE(file_.seekg(at_).get(byte_));
    put(static_cast<char>(byte_ ^ (1 << (bit % 8))));
  }
  ~FlippedBit() { put(byte_); }
  FlippedBit(const FlippedBit&) = delete;
  FlippedBit& operator=(const FlippedBit&) = delete;

 private:
  void put(char byte) { file_.seekp(at_).put(byte).flush(); }

  std::fstream file_;
  std::streamoff at_;
  char byte_ = 0;
};

inline std::string readFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline LayoutFiles readTree(const std::filesystem::path& directory) {
  LayoutFiles files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(directory)] = readFile(entry.path());
  }
  return files;
}

// A place for one layout, as a directory or a tar.
struct Place {
  TemporaryDirectory directory;
  std::filesystem::path path = directory.path() / "layout";

  // What the reader says of it, "" if it is read whole.
  [[nodiscard]] std::string refusal(const std::optional<std::string>& artifactType = {}) const {
    auto reader = bundle::LayoutReader::open(path, artifactType);
    if (!reader) return reader.error().message;
    for (const auto& layer : (*reader)->manifest().layers) {
      if (auto bytes = (*reader)->read(layer); !bytes) return bytes.error().message;
    }
    return "";
  }
  std::string refusalOfTar(std::string_view bytes) const {
    writeFile(path, bytes);
    return refusal();
  }
  // With what ends a tar.
  std::string refusalOfMembers(std::string_view members) const {
    return refusalOfTar(std::string(members) + kTarEnd);
  }

  void writeDirectory(const LayoutFiles& files) const {
    for (const auto& [name, bytes] : files) {
      std::filesystem::create_directories((path / name).parent_path());
      writeFile(path / name, bytes);
    }
  }
  std::string refusalOfFiles(const LayoutFiles& files) const {
    std::filesystem::remove_all(path);
    writeDirectory(files);
    return refusal();
  }
};

inline auto says(const std::string& text) { return Catch::Matchers::Contains(text); }

}  // namespace kiln::test
