// What a client remembers: lists of questions, and dependencies.
#include <catch2/catch.hpp>

#include "client/known_dependencies.h"
#include "client/known_lists.h"

using namespace kiln;
using namespace kiln::client;

namespace {

std::shared_ptr<const QuestionList> listOf(std::size_t questions, const std::string& path) {
  return std::make_shared<const QuestionList>(
      makeQuestionList(std::vector<DigestQuestion>(questions, {path, FileKind::file})));
}

KnownDependencies::Known knownOf(std::size_t dependencies, const std::string& key) {
  return {key, std::make_shared<const DependencySet>(dependencies)};
}

}  // namespace

TEST_CASE("a list is found by its digest") {
  KnownLists lists;
  auto list = listOf(3, "/a");
  CHECK(lists.find(list->id) == nullptr);
  lists.keep(list);
  lists.keep(listOf(3, "/a"));
  CHECK(lists.find(list->id) == list);
  CHECK(lists.find(listOf(3, "/b")->id) == nullptr);
}

TEST_CASE("the list that was used longest ago makes room, the newest stays however large") {
  KnownLists lists(10);
  auto a = listOf(4, "/a");
  auto b = listOf(4, "/b");
  lists.keep(a);
  lists.keep(b);
  lists.find(a->id);
  lists.keep(listOf(4, "/c"));
  CHECK(lists.find(a->id) != nullptr);
  CHECK(lists.find(b->id) == nullptr);
  auto large = listOf(20, "/d");
  lists.keep(large);
  CHECK(lists.find(large->id) != nullptr);
  CHECK(lists.find(a->id) == nullptr);
}

TEST_CASE("the dependencies of a request's last entry are known by its key") {
  KnownDependencies known;
  CHECK(known.find(xxh3("a")).key.empty());
  known.keep(xxh3("a"), knownOf(2, "first"));
  known.keep(xxh3("a"), knownOf(3, "second"));
  CHECK(known.find(xxh3("a")).key == "second");
  CHECK(known.find(xxh3("a")).dependencies->size() == 3);
  CHECK(known.find(xxh3("b")).key.empty());
}

TEST_CASE("dependencies that were used longest ago make room") {
  KnownDependencies known(10);
  known.keep(xxh3("a"), knownOf(4, "a"));
  known.keep(xxh3("b"), knownOf(4, "b"));
  known.find(xxh3("a"));
  known.keep(xxh3("c"), knownOf(4, "c"));
  CHECK(known.find(xxh3("a")).key == "a");
  CHECK(known.find(xxh3("b")).key.empty());
}
