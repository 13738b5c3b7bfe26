// What the JSON documents of a layout may say, and which image is taken.
#include "tests/unit/bundle/layouts.h"

using namespace kiln;
using namespace kiln::bundle;
using namespace kiln::test;

namespace {

constexpr const char* kOtherType = "application/vnd.example.other";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

// What the reader says of the sample where `what` in the document is `by`.
std::string refusalOfManifest(std::string_view what, std::string_view by) {
  return Place().refusalOfFiles(layoutOf({replaced(manifestText(), what, by)}));
}

std::string refusalOfDocument(const std::string& name, const std::string& text) {
  auto files = sampleLayout();
  files[name] = text;
  return Place().refusalOfFiles(files);
}

std::string refusalOfIndex(std::string_view what, std::string_view by) {
  return refusalOfDocument("index.json", replaced(indexText({manifestText()}), what, by));
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE_METHOD(Place, "A reader gives the manifest, its digest and the blobs") {
  writeDirectory(sampleLayout());
  auto reader = LayoutReader::open(path).value();
  REQUIRE(reader->digest() == sha256(manifestText()));
  const auto& manifest = reader->manifest();
  REQUIRE(manifest.artifactType == kSampleArtifactType);
  REQUIRE(manifest.config ==
          Descriptor{.mediaType = "application/vnd.oci.empty.v1+json", .digest = sha256("{}"), .size = 2});
  REQUIRE(
      manifest.layers ==
      std::vector<Descriptor>{
          {.mediaType = "text/plain", .digest = sha256("first"), .size = 5, .annotations = {{"key", "1"}}},
          {.mediaType = "text/plain", .digest = sha256("second"), .size = 6}});
  REQUIRE(manifest.annotations == std::map<std::string, std::string>{{"title", "A sample"}});
  REQUIRE(reader->read(manifest.layers[1]) == "second");
  REQUIRE(reader->read(manifest.config) == "{}");
}

TEST_CASE_METHOD(Place, "A descriptor that no manifest has is checked all the same") {
  writeDirectory(sampleLayout());
  auto reader = LayoutReader::open(path).value();
  auto refusalOf = [&](const Sha256& digest, std::uint64_t size) {
    return reader->read({.mediaType = "text/plain", .digest = digest, .size = size}).error().message;
  };
  REQUIRE_THAT(refusalOf(sha256("first"), 4), says("has 5 bytes, not 4"));
  REQUIRE_THAT(refusalOf(sha256("absent"), 4), says("there is no " + sha256("absent").hex()));
  REQUIRE_THAT(refusalOf(sha256("first"), kMaxBlobSize + 1), says("more than 4 GiB"));
}

TEST_CASE("A blob with other bytes than its digest says is not given") {
  auto files = sampleLayout();
  files[blobPath("first")] = "fIrst";
  REQUIRE_THAT(Place().refusalOfFiles(files), says("has other bytes than its digest says"));
  REQUIRE_THAT(Place().refusalOfMembers(tarText(files)), says("has other bytes than its digest says"));
}

TEST_CASE("A manifest with other bytes than index.json says is not parsed") {
  auto files = sampleLayout();
  files[blobPath(manifestText())][40] ^= 1;
  REQUIRE_THAT(Place().refusalOfFiles(files), says("has other bytes than its digest says"));
}

TEST_CASE("A blob whose size is not the one that was said is not given") {
  REQUIRE_THAT(refusalOfManifest(R"("size":5)", R"("size":4)"), says("has 5 bytes, not 4"));
  auto files = layoutOf({replaced(manifestText(), R"("size":5)", R"("size":6)")});
  REQUIRE_THAT(Place().refusalOfMembers(tarText(files)), says("has 5 bytes, not 6"));
}

TEST_CASE("A blob that is missing is told by its digest") {
  auto files = sampleLayout();
  files.erase(blobPath("first"));
  REQUIRE_THAT(Place().refusalOfMembers(tarText(files)),
               says("sha256:" + sha256("first").hex() + " is not in it"));
}

TEST_CASE("Digests are sha256: and 64 digits in lower case, no others") {
  auto hex = sha256("first").hex();
  auto upper = hex;
  for (auto& c : upper) c = static_cast<char>(std::toupper(c));
  for (const auto& digest : std::vector<std::string>{
           "sha256:" + upper, "sha256:" + hex.substr(1), "sha256:" + hex + "0", hex, "sha512:" + hex + hex,
           "sha256:" + replaced(hex, hex.substr(0, 1), "g"), "sha256:../../../etc/passwd", std::string()}) {
    CAPTURE(digest);
    REQUIRE_THAT(refusalOfManifest("sha256:" + hex, digest),
                 says("manifest's layers[0] has a digest that is not"));
  }
}

TEST_CASE("Sizes are whole numbers of at most 4 GiB") {
  for (const char* size : {"-1", "5.0", "\"5\"", "null", "1e300"}) {
    CAPTURE(size);
    REQUIRE_THAT(refusalOfManifest(R"("size":5)", std::string(R"("size":)") + size),
                 says("layers[0] has no size"));
  }
  REQUIRE_THAT(refusalOfManifest(R"("size":5)", R"("size":99999999999999999999999999)"), says("is not JSON"));
  REQUIRE_THAT(refusalOfManifest(R"("size":5)", R"("size":4294967297)"),
               says("layers[0] has a size of more than 4 GiB"));
  REQUIRE_THAT(refusalOfManifest(R"("size":5)", R"("size":18446744073709551615)"), says("more than 4 GiB"));
}

TEST_CASE("A document that is not JSON, or not an object, is refused by its name") {
  for (const char* text : {"", "{", "nonsense", "{}{}", "{\"a\":\"\xff\"}", "\xef\xbb\xbf"}) {
    CAPTURE(text);
    REQUIRE_THAT(refusalOfDocument("index.json", text), says("index.json is not JSON"));
    REQUIRE_THAT(refusalOfDocument("oci-layout", text), says("oci-layout is not JSON"));
    REQUIRE_THAT(Place().refusalOfFiles(layoutOf({text})), says("the manifest is not JSON"));
  }
  for (const char* text : {"[]", "null", "1", "\"text\""}) {
    REQUIRE_THAT(refusalOfDocument("index.json", text), says("index.json is no JSON object"));
    REQUIRE_THAT(refusalOfDocument("oci-layout", text), says("oci-layout is no JSON object"));
    REQUIRE_THAT(Place().refusalOfFiles(layoutOf({text})), says("the manifest is no JSON object"));
  }
}

TEST_CASE("A document of another shape is refused with the place") {
  REQUIRE_THAT(refusalOfDocument("index.json", "{}"), says("index.json has no schemaVersion 2"));
  REQUIRE_THAT(refusalOfDocument("index.json", R"({"schemaVersion":2})"),
               says("manifests of index.json is missing"));
  REQUIRE_THAT(refusalOfDocument("index.json", R"({"schemaVersion":2,"manifests":{}})"), says("or no array"));
  REQUIRE_THAT(refusalOfDocument("index.json", R"({"schemaVersion":2,"manifests":[1]})"),
               says("manifests of index.json[0] is missing or no object"));
  REQUIRE_THAT(refusalOfIndex("\"schemaVersion\":2", "\"schemaVersion\":2,\"mediaType\":\"text/plain\""),
               says("index.json has not the media type"));
  REQUIRE_THAT(refusalOfManifest("\"schemaVersion\":2", "\"schemaVersion\":3"),
               says("manifest has no schemaVersion 2"));
  REQUIRE_THAT(refusalOfManifest("image.manifest", "image.index"), says("manifest has not the media type"));
  REQUIRE_THAT(refusalOfManifest("\"config\"", "\"Config\""), says("manifest's config is missing"));
  REQUIRE_THAT(refusalOfManifest("\"layers\"", "\"layer\""), says("manifest's layers is missing"));
  REQUIRE_THAT(refusalOfManifest("text/plain", ""), says("layers[0] has no mediaType"));
  REQUIRE_THAT(refusalOfManifest("\"key\":\"1\"", "\"key\":1"), says("layers[0].annotations has a value"));
  REQUIRE_THAT(refusalOfManifest("{\"key\":\"1\"}", "[]"), says("layers[0].annotations is no object"));
  REQUIRE_THAT(refusalOfManifest("{\"title\":\"A sample\"}", "null"),
               says("manifest.annotations is no object"));
  REQUIRE_THAT(refusalOfManifest("\"" + std::string(kSampleArtifactType) + "\"", "{}"),
               says("manifest's artifactType is no string"));
}

TEST_CASE("What a later specification may add is skipped") {
  std::string flat = "1";
  for (int i = 0; i < 100; ++i) flat += ",[]";
  REQUIRE(refusalOfManifest("\"schemaVersion\":2",
                            "\"schemaVersion\":2,\"subject\":{},\"future\":[" + flat + "]") == "");
  REQUIRE(refusalOfManifest("\"size\":5", "\"size\":5,\"urls\":[],\"data\":\"\"") == "");
}

TEST_CASE("A document that is nested deeply is refused before it is parsed") {
  REQUIRE_THAT(refusalOfDocument("index.json", nested(33)), says("nested too deeply"));
  REQUIRE_THAT(refusalOfDocument("index.json", nested(10'000'000)), says("nested too deeply"));
  REQUIRE_THAT(refusalOfDocument("index.json", nested(32)), says("no JSON object"));
  REQUIRE_THAT(refusalOfDocument("index.json", R"({"a":"\")" + nested(100) + R"("})"), says("schemaVersion"));
}

TEST_CASE("A layout of another version is refused with both versions") {
  REQUIRE_THAT(refusalOfDocument("oci-layout", R"({"imageLayoutVersion":"2.0.0"})"),
               says("imageLayoutVersion is '2.0.0'") && says("knows 1.0.0 alone"));
  REQUIRE_THAT(refusalOfDocument("oci-layout", R"({"imageLayoutVersion":1})"), says("no imageLayoutVersion"));
  REQUIRE_THAT(refusalOfDocument("oci-layout", "{}"), says("no imageLayoutVersion"));
}

TEST_CASE_METHOD(Place, "An image of another artifact type than the expected one is refused with both") {
  writeDirectory(sampleLayout());
  REQUIRE(refusal(std::string(kSampleArtifactType)) == "");
  REQUIRE_THAT(refusal(kOtherType), says(kOtherType) && says(std::string(kSampleArtifactType)));
}

TEST_CASE_METHOD(Place, "Of several images the one of the expected artifact type is taken") {
  writeDirectory(layoutOf({manifestText(kOtherType), manifestText()}));
  REQUIRE_THAT(refusal(), says("it holds 2 images; copy the one that is meant"));
  REQUIRE_THAT(refusal("application/vnd.none"), says("no image of the artifact type 'application/vnd.none'"));
  auto reader = LayoutReader::open(path, std::string(kSampleArtifactType)).value();
  REQUIRE(reader->digest() == sha256(manifestText()));
}

TEST_CASE_METHOD(Place, "Several images of the expected artifact type are refused") {
  writeDirectory(layoutOf({manifestText(), manifestText(kSampleArtifactType, "Another")}));
  REQUIRE_THAT(refusal(std::string(kSampleArtifactType)), says("holds 2 images of the artifact type"));
}

TEST_CASE_METHOD(Place, "An image with two tags is one image") {
  writeDirectory(layoutOf({manifestText(), manifestText()}));
  REQUIRE(refusal() == "");
}

TEST_CASE("An index that names no image is refused") {
  REQUIRE_THAT(refusalOfDocument("index.json", indexText({})), says("names no OCI image manifest"));
  REQUIRE_THAT(refusalOfIndex("image.manifest", "image.index"), says("names no OCI image manifest"));
}

TEST_CASE("Manifests of more than 64 MiB together are not read") {
  auto index = indexText({manifestText()});
  auto at = index.find("\"size\":");
  index.replace(at, index.find(',', at) - at, "\"size\":67108865");
  REQUIRE_THAT(refusalOfDocument("index.json", index), says("manifests have more than 64 MiB"));
}
