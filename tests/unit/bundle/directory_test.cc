// Layouts in directories whose owner is nobody's friend.
#include <sys/stat.h>

#include "tests/unit/bundle/layouts.h"

using namespace kiln;
using namespace kiln::bundle;
using namespace kiln::test;

namespace fs = std::filesystem;

namespace {

// A layout that is read, and the same outside of it to link to.
struct WithOutside : Place {
  fs::path outside = directory.path() / "outside";

  WithOutside() {
    writeDirectory(sampleLayout());
    fs::copy(path, outside, fs::copy_options::recursive);
  }
  void replaceByLink(const fs::path& name) const {
    fs::remove_all(path / name);
    fs::create_symlink(outside / name, path / name);
  }
  void replaceByFifo(const fs::path& name) const {
    fs::remove_all(path / name);
    REQUIRE(mkfifo((path / name).c_str(), 0600) == 0);
  }
};

const std::string kFirst = blobPath("first");

}  // namespace

TEST_CASE_METHOD(Place, "A directory is read") { REQUIRE(refusalOfFiles(sampleLayout()) == ""); }

TEST_CASE_METHOD(WithOutside, "No link in a directory is followed") {
  for (const std::string& name : {std::string("oci-layout"), std::string("index.json"), std::string("blobs"),
                                  std::string("blobs/sha256"), kFirst, blobPath(manifestText())}) {
    CAPTURE(name);
    REQUIRE(refusalOfFiles(sampleLayout()) == "");
    replaceByLink(name);
    REQUIRE_THAT(refusal(), says("links are not followed"));
  }
}

TEST_CASE_METHOD(WithOutside, "A link to the directory itself is followed") {
  auto link = directory.path() / "link";
  fs::create_symlink(path, link);
  REQUIRE(LayoutReader::open(link));
}

TEST_CASE_METHOD(WithOutside, "A FIFO in a directory is refused at once") {
  for (const auto& name : {std::string("oci-layout"), std::string("index.json"), kFirst}) {
    CAPTURE(name);
    REQUIRE(refusalOfFiles(sampleLayout()) == "");
    replaceByFifo(name);
    REQUIRE_THAT(refusal(), says("is no regular file"));
  }
}

TEST_CASE_METHOD(Place, "A FIFO in the place of a layout is refused at once") {
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  REQUIRE_THAT(refusal(), says("neither a directory nor a file"));
}

TEST_CASE_METHOD(WithOutside, "A directory in the place of a blob is refused") {
  fs::remove(path / kFirst);
  fs::create_directory(path / kFirst);
  REQUIRE_THAT(refusal(), says("is no regular file"));
}

TEST_CASE_METHOD(Place, "What is missing in a directory is told by its name") {
  for (const auto& name : {std::string("oci-layout"), std::string("index.json")}) {
    auto files = sampleLayout();
    files.erase(name);
    REQUIRE_THAT(refusalOfFiles(files), says("there is no " + name + " in it"));
  }
  auto files = sampleLayout();
  files.erase(kFirst);
  REQUIRE_THAT(refusalOfFiles(files), says("there is no " + sha256("first").hex() + " in it"));
  REQUIRE_THAT(refusalOfFiles({{"oci-layout", files["oci-layout"]}}), says("there is no blobs in it"));
  REQUIRE_THAT(refusalOfFiles({{"README", "text"}}), says("there is no oci-layout in it"));
}

TEST_CASE_METHOD(Place, "A path without anything is told as such") {
  REQUIRE_THAT(refusal(), says(path.string()) && says("No such file or directory"));
}

TEST_CASE_METHOD(Place, "A flipped bit in any file of a directory is told, or changes nothing that is read") {
  auto files = sampleLayout();
  writeDirectory(files);
  auto right = LayoutReader::open(path).value();
  for (const auto& [name, bytes] : files) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {  // every byte, not every bit
      CAPTURE(name, bit);
      FlippedBit flipped(path / name, bit);
      auto reader = LayoutReader::open(path);
      if (reader) REQUIRE((*reader)->manifest() == right->manifest());
      for (const auto& layer : right->manifest().layers) {
        auto read = right->read(layer);
        REQUIRE((read ? sha256(*read) == layer.digest : name == "blobs/sha256/" + layer.digest.hex()));
      }
    }
  }
}

TEST_CASE_METHOD(Place, "A document of more than 64 MiB is not read from a directory") {
  writeDirectory(sampleLayout());
  fs::resize_file(path / "index.json", (64 << 20) + 1);
  REQUIRE_THAT(refusal(), says("its index.json is larger than 64 MiB"));
}
