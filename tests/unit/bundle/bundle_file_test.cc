// Bundles on disk: what is written, and what is refused when it is opened.
#include "bundle/bundle_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <fstream>

#include "bundle/lock_file.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::bundle;
using Catch::Matchers::Contains;

namespace {

BundledKernel sampleKernel(const std::string& name = "k.cu: k") {
  BundledEntry entry;
  entry.request = test::sampleRequest();
  entry.toolchainName = "nvrtc 13.0";
  entry.toolchainIdentity = sha256("a toolchain");
  entry.dependencies = test::sampleDependencies();
  entry.result = test::sampleArtifact();
  return {name, sha256(name), {entry}};
}

Toolchain sampleToolchain(const std::string& identity = "a toolchain") {
  return {"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, sha256(identity), {"sm_80"}, ""};
}

// A layout of the kernel with this index.
std::string refusalOf(const std::filesystem::path& path, const BundleIndex& index) {
  auto writer = LayoutWriter::create(path, LayoutForm::archive).value();
  ImageManifest manifest;
  manifest.artifactType = kArtifactType;
  manifest.layers = {writer->add(kKernelType, encodeKernel(sampleKernel())).value()};
  manifest.config = writer->add(kIndexType, writeIndex(index)).value();
  REQUIRE(writer->finish(manifest));
  const auto file = BundleFile::open(path);
  return file ? "" : file.error().message;
}

}  // namespace

TEST_CASE("A bundle reads back as it was written, with the toolchains that its entries are by") {
  const test::TemporaryDirectory directory;
  BundleIndex index;
  REQUIRE(writeBundle(directory.path() / "app.kiln", {sampleKernel()},
                      {sampleToolchain("another"), sampleToolchain()}, index));
  const auto file = BundleFile::open(directory.path() / "app.kiln");
  REQUIRE(file);
  CHECK(file->index() == index);
  CHECK(index.toolchains == std::vector{sampleToolchain()});
  CHECK(file->read(index.kernels.front()).value() == sampleKernel());
}

TEST_CASE("A bundle with an entry by a toolchain that nobody lists is not written") {
  const test::TemporaryDirectory directory;
  BundleIndex index;
  const auto written =
      writeBundle(directory.path() / "app.kiln", {sampleKernel()}, {sampleToolchain("replaced")}, index);
  REQUIRE_FALSE(written);
  CHECK_THAT(written.error().message, Contains("'k.cu: k'") && Contains(sha256("a toolchain").hex()));
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("A bundle whose index and manifest name different layers is refused when it is opened") {
  const test::TemporaryDirectory directory;
  BundleIndex index;
  index.toolchains = {sampleToolchain()};
  index.kernels = {indexed(sampleKernel(), sha256(encodeKernel(sampleKernel())))};
  CHECK(refusalOf(directory.path() / "good", index).empty());
  const auto layer = index.kernels.front().layer;
  index.kernels.front().layer = sha256("no layer");
  CHECK_THAT(
      refusalOf(directory.path() / "bad", index),
      Contains("layer " + sha256("no layer").hex()) && Contains("its manifest does not name as a kernel"));
  index.kernels.clear();
  CHECK_THAT(refusalOf(directory.path() / "worse", index),
             Contains("layer " + layer.hex()) && Contains("its index does not"));
}

TEST_CASE("An index with other bytes than its digest says is refused, though it can be read") {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "app";
  BundleIndex index;
  REQUIRE(writeBundle(path.string() + '/', {sampleKernel()}, {sampleToolchain()}, index));
  const auto blob = path / "blobs/sha256" / LayoutReader::open(path).value()->manifest().config.digest.hex();
  std::fstream file(blob, std::ios::in | std::ios::out | std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  const auto identity = sampleKernel().identity.hex();  // which the manifest does not say
  const auto digit = text.find(identity);
  REQUIRE(digit != std::string::npos);
  text[digit] = identity.front() == '0' ? '1' : '0';
  REQUIRE(parseIndex(text, "it"));
  file.seekp(0) << text << std::flush;
  const auto opened = BundleFile::open(path);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, Contains("'" + path.string() + "' has an index with other bytes"));
}

TEST_CASE("A lock that is given as a bundle is called one, and so is a bundle that is given as a lock") {
  const test::TemporaryDirectory directory;
  const auto lock = directory.path() / "app.lock", bundle = directory.path() / "app.kiln";
  std::ofstream(lock) << writeLock({});
  CHECK_THAT(BundleFile::open(lock).error().message, Contains("is a lock and no bundle; kiln build "));
  BundleIndex index;
  REQUIRE(writeBundle(bundle, {sampleKernel()}, {sampleToolchain()}, index));
  CHECK_THAT(readLock(bundle).error().message, Contains("'" + bundle.string() + "' is no lock but a binary"));
}

TEST_CASE("A FIFO that is given as a bundle is refused and not waited for") {
  const test::TemporaryDirectory directory;
  const auto fifo = directory.path() / "app.kiln";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(BundleFile::open(fifo));
}

TEST_CASE("Whether a bundle can be written is told before, and leaves nothing behind") {
  const test::TemporaryDirectory directory;
  CHECK(checkBundleWritable(directory.path() / "app.kiln"));
  CHECK(checkBundleWritable(directory.path() / "app/"));
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK_THAT(checkBundleWritable(directory.path() / "nowhere/app.kiln").error().message,
             Contains("nowhere/app.kiln"));
  std::filesystem::create_directory(directory.path() / "full");
  std::ofstream(directory.path() / "full/mine.txt") << "mine";
  CHECK_FALSE(checkBundleWritable(directory.path() / "full"));
}
