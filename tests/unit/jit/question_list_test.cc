#include "jit/question_list.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

using States = std::vector<std::optional<FileState>>;

FileState file(std::string_view content, std::uint64_t identity) {
  return {FileKind::file, content.size(), xxh3(content), identity};
}

const States kStates{file("x", 7), FileState{}, file("x", 9), file("y", 7),
                     FileState{FileKind::directory, 0, {}, 3}};

}  // namespace

TEST_CASE("A list's digest covers paths, kinds and their order") {
  auto id = [](std::vector<DigestQuestion> questions) { return makeQuestionList(std::move(questions)).id; };
  auto list = id({{"/a", FileKind::file}, {"/b", FileKind::absent}});
  CHECK(list == id({{"/a", FileKind::file}, {"/b", FileKind::absent}}));
  CHECK(list != id({{"/b", FileKind::absent}, {"/a", FileKind::file}}));
  CHECK(list != id({{"/a", FileKind::file}, {"/b", FileKind::file}}));
  CHECK(list != id({{"/a", FileKind::file}, {"/c", FileKind::absent}}));
  CHECK(list != id({{"/a", FileKind::file}}));
}

TEST_CASE("Which number a file has does not count, only which are one") {
  auto states = kStates;
  for (auto& state : states) state->identity += 100;
  CHECK(fingerprint(states) == fingerprint(kStates));
  states[2]->identity = states[0]->identity;
  CHECK(fingerprint(states) != fingerprint(kStates));
  states = kStates;
  states[3]->identity = 8;
  CHECK(fingerprint(states) != fingerprint(kStates));
}

TEST_CASE("What a question found makes another fingerprint") {
  auto differs = [](auto change) {
    auto states = kStates;
    change(states);
    return fingerprint(states) != fingerprint(kStates);
  };
  CHECK(differs([](States& states) { states[0]->kind = FileKind::other; }));
  CHECK(differs([](States& states) { states[0]->size = 2; }));
  CHECK(differs([](States& states) { states[0]->xxh3 = xxh3("z"); }));
  CHECK(differs([](States& states) { states[1] = file("x", 20); }));
  CHECK(differs([](States& states) { states[1].reset(); }));
  CHECK(differs([](States& states) { std::swap(states[0], states[1]); }));
  CHECK(differs([](States& states) { states.pop_back(); }));
}

TEST_CASE("What does not count for a dependency does not count here") {
  auto states = kStates;
  states[4]->identity = 1000;  // of a directory
  states[4]->size = 4096;
  CHECK(fingerprint(states) == fingerprint(kStates));
}

TEST_CASE("A list's digest and a fingerprint are what they always were") {
  CHECK(makeQuestionList({{"/a", FileKind::file}}).id.hex() == "7c25efc9057c64b6a4bf102f5c9865f2");
  CHECK(fingerprint(kStates).hex() == "a2b96424fe2dadb527656c72290449a4");
}
