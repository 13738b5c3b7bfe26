// What is written: the bytes, where they go, and what is left behind where they do not.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <vector>

#include "tests/unit/bundle/layouts.h"

using namespace kiln;
using namespace kiln::bundle;
using namespace kiln::test;

namespace fs = std::filesystem;

namespace {

// Adds the blobs of the sample in this order, and gives its manifest.
ImageManifest addSample(LayoutWriter& writer, bool reversed = false) {
  std::vector<std::string> blobs = {"{}", "first", "second"};
  if (reversed) std::ranges::reverse(blobs);
  std::map<std::string, Descriptor> added;
  for (const auto& blob : blobs) {
    added[blob] = writer.add(blob == "{}" ? "application/vnd.oci.empty.v1+json" : "text/plain", blob).value();
  }
  added["first"].annotations = {{"key", "1"}, {"a", "\"\n\u00e4"}};
  return {.artifactType = std::string(kSampleArtifactType),
          .config = added["{}"],
          .layers = {added["first"], added["second"]},
          .annotations = {{"title", "A sample"}}};
}

Sha256 writeSample(const fs::path& path, LayoutForm form, bool reversed = false) {
  auto writer = LayoutWriter::create(path, form).value();
  return writer->finish(addSample(*writer, reversed)).value();
}

std::vector<std::string> namesIn(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

// Stands in for a full disk: no file can become larger than this, and what is refused is a write.
class StandInFullDisk {
 public:
  explicit StandInFullDisk(rlim_t size) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit full = {size, limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~StandInFullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit limit_;
  void (*handler_)(int);
};

auto bothForms() { return GENERATE(LayoutForm::directory, LayoutForm::archive); }

std::string refusalToCreate(const fs::path& path, LayoutForm form) {
  auto writer = LayoutWriter::create(path, form);
  return writer ? "" : writer.error().message;
}

}  // namespace

TEST_CASE_METHOD(Place, "What was written is read") {
  auto form = bothForms();
  auto writer = LayoutWriter::create(path, form).value();
  auto manifest = addSample(*writer);
  auto digest = writer->finish(manifest).value();
  auto reader = LayoutReader::open(path, std::string(kSampleArtifactType)).value();
  REQUIRE(reader->digest() == digest);
  REQUIRE(reader->manifest() == manifest);
  REQUIRE(reader->read(manifest.layers[0]) == "first");
  REQUIRE(refusal() == "");
}

TEST_CASE_METHOD(Place,
                 "A layout has the documents that the specification wants, without white space and sorted") {
  auto hex = writeSample(path, LayoutForm::directory).hex();
  auto files = readTree(path);
  REQUIRE(files.size() == 6);
  REQUIRE(files["oci-layout"] == R"({"imageLayoutVersion":"1.0.0"})");
  const auto& manifest = files["blobs/sha256/" + hex];
  REQUIRE(
      manifest ==
      R"({"annotations":{"title":"A sample"},"artifactType":"application/vnd.kiln.sample","config":{"digest":"sha256:)" +
          sha256("{}").hex() +
          R"(","mediaType":"application/vnd.oci.empty.v1+json","size":2},"layers":[{"annotations":{"a":"\"\n)"
          "\u00e4"
          R"(","key":"1"},"digest":"sha256:)" +
          sha256("first").hex() + R"(","mediaType":"text/plain","size":5},{"digest":"sha256:)" +
          sha256("second").hex() +
          R"(","mediaType":"text/plain","size":6}],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2})");
  REQUIRE(files["index.json"] ==
          R"({"manifests":[{"artifactType":"application/vnd.kiln.sample","digest":"sha256:)" + hex +
              R"(","mediaType":"application/vnd.oci.image.manifest.v1+json","size":)" +
              std::to_string(manifest.size()) +
              R"(}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2})");
}

TEST_CASE_METHOD(Place, "Both forms have the same manifest, whatever the order in which blobs were added") {
  auto other = directory.path() / "other";
  auto digest = writeSample(path, LayoutForm::directory);
  REQUIRE(writeSample(other, LayoutForm::directory, true) == digest);
  REQUIRE(readTree(path) == readTree(other));
  auto archive = directory.path() / "archive";
  auto otherArchive = directory.path() / "other archive";
  REQUIRE(writeSample(archive, LayoutForm::archive) == digest);
  REQUIRE(writeSample(otherArchive, LayoutForm::archive, true) == digest);
  REQUIRE(readFile(archive) == readFile(otherArchive));
}

// A change of these digests changes every bundle that was published: think before you change them.
TEST_CASE_METHOD(Place, "The bytes of a manifest and of an archive stay the same from version to version") {
  REQUIRE(writeSample(path, LayoutForm::archive).hex() ==
          "9bdd77ba1404f09d5a17686739bed8dd71a877d303cb074aa609986ea2b979c0");
  REQUIRE(sha256(readFile(path)).hex() == "75dd7e9973ffcc4fbcae90a9c6de57032d997bdc054656bd89a0b4b9097c6a96");
}

TEST_CASE_METHOD(Place, "An archive has the documents first and the blobs in the order of their digests") {
  auto digest = writeSample(path, LayoutForm::archive);
  std::set<std::string> blobs = {blobPath("{}"), blobPath("first"), blobPath("second"),
                                 "blobs/sha256/" + digest.hex()};
  std::vector<std::string> expected = {"oci-layout", "index.json"};
  expected.insert(expected.end(), blobs.begin(), blobs.end());
  std::vector<std::string> names;
  auto tar = readFile(path);
  for (std::size_t at = 0; tar[at] != '\0'; at += 512) {
    names.emplace_back(tar.c_str() + at);
    auto size = std::stoul(tar.substr(at + 124, 11), nullptr, 8);
    REQUIRE(std::stoul(tar.substr(at + 100, 7), nullptr, 8) == 0644);
    REQUIRE(std::stoul(tar.substr(at + 108, 7), nullptr, 8) == 0);   // user
    REQUIRE(std::stoul(tar.substr(at + 116, 7), nullptr, 8) == 0);   // group
    REQUIRE(std::stoul(tar.substr(at + 136, 11), nullptr, 8) == 0);  // time
    REQUIRE(tar.substr(at + 265, 64) == std::string(64, '\0'));      // names of both
    at += (size + 511) / 512 * 512;
  }
  REQUIRE(names == expected);
}

TEST_CASE_METHOD(Place, "A blob that is added twice is written once") {
  auto form = bothForms();
  auto writer = LayoutWriter::create(path, form).value();
  auto manifest = addSample(*writer);
  auto again = writer->add("text/html", "first").value();
  REQUIRE(again == Descriptor{.mediaType = "text/html", .digest = sha256("first"), .size = 5});
  manifest.layers.push_back(again);
  REQUIRE(writer->finish(manifest));
  REQUIRE(refusal() == "");  // which a second member of that name would cause
}

TEST_CASE_METHOD(Place, "Large blobs and none at all are written whole") {
  auto form = bothForms();
  std::string large(3'000'001, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  auto writer = LayoutWriter::create(path, form).value();
  ImageManifest manifest{
      .artifactType = "a/b", .config = writer->add("text/plain", "").value(), .layers = {}};
  manifest.layers.push_back(writer->add("text/plain", large).value());
  REQUIRE(writer->finish(manifest));
  auto reader = LayoutReader::open(path).value();
  REQUIRE(reader->read(manifest.config) == "");
  REQUIRE((reader->read(manifest.layers[0]) == large));
}

TEST_CASE_METHOD(Place, "Nothing is there before the end, and nothing is left of a writer that gives up") {
  auto form = bothForms();
  {
    auto writer = LayoutWriter::create(path, form).value();
    addSample(*writer);
    REQUIRE_FALSE(fs::exists(path));
  }
  REQUIRE(namesIn(directory.path()).empty());
}

TEST_CASE_METHOD(Place, "Nothing but the layout is left by a writer that has finished") {
  auto form = bothForms();
  writeSample(path, form);
  REQUIRE(namesIn(directory.path()) == std::vector<std::string>{"layout"});
}

TEST_CASE_METHOD(Place, "A layout is replaced at the end, and stays where the writer gives up") {
  auto form = bothForms();
  {
    auto writer = LayoutWriter::create(path, form).value();
    REQUIRE(writer->finish(
        {.artifactType = "old/type", .config = writer->add("text/plain", "old").value(), .layers = {}}));
  }
  {
    auto writer = LayoutWriter::create(path, form).value();
    addSample(*writer);
  }
  REQUIRE(LayoutReader::open(path).value()->manifest().artifactType == "old/type");
  writeSample(path, form);
  REQUIRE(LayoutReader::open(path).value()->manifest().artifactType == kSampleArtifactType);
  REQUIRE(namesIn(directory.path()) == std::vector<std::string>{"layout"});
}

TEST_CASE_METHOD(Place, "A layout goes into an empty directory") {
  fs::create_directory(path);
  writeSample(path, LayoutForm::directory);
  REQUIRE(refusal() == "");
}

TEST_CASE_METHOD(Place, "A directory that holds anything but a layout is not replaced") {
  fs::create_directory(path);
  writeFile(path / "thesis.txt", "years of work");
  REQUIRE_THAT(refusalToCreate(path, LayoutForm::directory),
               says("holds 'thesis.txt'") && says("move it away"));
  fs::remove(path / "thesis.txt");
  writeDirectory(sampleLayout());
  REQUIRE(refusalToCreate(path, LayoutForm::directory) == "");
  writeFile(path / "thesis.txt", "years of work");
  REQUIRE_THAT(refusalToCreate(path, LayoutForm::directory), says("holds 'thesis.txt'"));
  fs::remove(path / "thesis.txt");
  writeFile(path / "oci-layout", "years of work");
  REQUIRE_THAT(refusalToCreate(path, LayoutForm::directory), says("holds no layout"));
}

TEST_CASE_METHOD(Place, "A directory that came to be while a layout was written is not replaced") {
  auto writer = LayoutWriter::create(path, LayoutForm::directory).value();
  auto manifest = addSample(*writer);
  fs::create_directory(path);
  writeFile(path / "thesis.txt", "years of work");
  REQUIRE_THAT(writer->finish(manifest).error().message, says("holds 'thesis.txt'"));
  REQUIRE(readFile(path / "thesis.txt") == "years of work");
}

TEST_CASE_METHOD(Place, "What is of another kind than the layout is not replaced") {
  writeFile(path, "years of work");
  REQUIRE_THAT(refusalToCreate(path, LayoutForm::directory), says("what is there is no directory"));
  auto form = bothForms();
  auto link = directory.path() / "link";
  fs::create_symlink(path, link);
  REQUIRE_THAT(refusalToCreate(link, form), says("what is there is no"));
  auto fifo = directory.path() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  REQUIRE_THAT(refusalToCreate(fifo, form), says("what is there is no"));
  REQUIRE_THAT(refusalToCreate(directory.path(), LayoutForm::archive), says("what is there is no file"));
  REQUIRE(readFile(path) == "years of work");
}

TEST_CASE_METHOD(Place, "A path may end with a slash, and have no folder before it") {
  writeSample(path / "", LayoutForm::directory);
  REQUIRE(refusal() == "");
  auto before = fs::current_path();
  fs::current_path(directory.path());
  writeSample("relative", LayoutForm::archive);
  fs::current_path(before);
  REQUIRE(LayoutReader::open(directory.path() / "relative"));
}

TEST_CASE_METHOD(Place, "A full disk is told, and nothing is left behind") {
  auto form = bothForms();
  std::string message;
  {
    StandInFullDisk full(10'000);
    auto writer = LayoutWriter::create(path, form).value();
    auto added = writer->add("text/plain", std::string(20'000, 'x'));
    if (!added) message = added.error().message;
  }
  REQUIRE_THAT(message, says(path.string()) && says("cannot write") && says("File too large") && says("; "));
  REQUIRE(namesIn(directory.path()).empty());
}

TEST_CASE_METHOD(Place, "A disk that is full only at the end is told, and nothing is left behind") {
  auto form = bothForms();
  std::string message;
  {
    auto writer = LayoutWriter::create(path, form).value();
    auto manifest = addSample(*writer);
    StandInFullDisk full(form == LayoutForm::archive ? 2'000
                                                     : 20);  // enough for each blob; not for the documents
    auto finished = writer->finish(manifest);
    if (!finished) message = finished.error().message;
  }
  REQUIRE_THAT(message, says(path.string()) && says("File too large"));
  REQUIRE(namesIn(directory.path()).empty());
}

TEST_CASE("A place that cannot be written to is told at once") {
  auto form = bothForms();
  REQUIRE_THAT(refusalToCreate("/sys/kiln-layout", form), says("/sys/kiln-layout: cannot create a"));
  REQUIRE_THAT(refusalToCreate("/nonexistent/layout", form),
               says("in /nonexistent: No such file or directory; check the path"));
}

TEST_CASE_METHOD(Place, "A manifest cannot name what was not added") {
  auto form = bothForms();
  auto writer = LayoutWriter::create(path, form).value();
  auto manifest = addSample(*writer);
  SECTION("a layer") { manifest.layers[1].digest = sha256("absent"); }
  SECTION("a layer of another size") { manifest.layers[1].size = 1; }
  SECTION("a config") { manifest.config.digest = sha256("absent"); }
  REQUIRE_THAT(writer->finish(manifest).error().message, says("was not added; add it first"));
  REQUIRE_FALSE(fs::exists(path));
}

TEST_CASE_METHOD(Place, "Nothing is written that could not be read") {
  auto writer = LayoutWriter::create(path, LayoutForm::directory).value();
  auto manifest = addSample(*writer);
  SECTION("text that is not UTF-8") {
    manifest.annotations["title"] = "\xff";
    REQUIRE_THAT(writer->finish(manifest).error().message, says("text that is not UTF-8"));
  }
  SECTION("a media type that is missing") {
    manifest.layers[0].mediaType = "";
    REQUIRE_THAT(writer->finish(manifest).error().message, says("layers[0] has no mediaType"));
  }
  SECTION("more than 4 GiB in a blob") {
    auto size = kMaxBlobSize + 1;
    void* memory = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto added = writer->add("text/plain", {static_cast<const char*>(memory), size});
    munmap(memory, size);
    REQUIRE_THAT(added.error().message, says("more than 4 GiB"));
  }
  REQUIRE_FALSE(fs::exists(path));
}
