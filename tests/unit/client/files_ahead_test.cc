#include "client/files_ahead.h"

#include "client/file_reader.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::client;
using Kind = FileAnswer::Kind;
using Paths = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kPlenty = 1 << 30;

// A request for k.cu in its source's directory "src", with the include directories "first" and "second".
struct Tree {
  Tree() {
    for (const char* directory : {"src", "first", "second"}) fs::create_directories(root / directory);
    request->names = {"k.cu", at("src"), {at("first"), at("second")}};
  }

  std::string at(const std::string& path) const { return (root / path).string(); }
  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  void start() {
    reader = std::make_shared<FileReader>(FilePolicy(request->names, {}), std::make_shared<DigestCache>());
    ahead.emplace(reader, request);
  }
  // The compiler asks for the file at `path`.
  void ask(const std::string& path) { ahead->noteAsked(at(path), reader->look(at(path))); }
  // What is told next, below the root; absences with a '-', directories with a '/'.
  Paths next(std::uint64_t limit = kPlenty) {
    Paths paths;
    for (const auto& [path, answer] : ahead->next(limit)) {
      CHECK(answer == reader->look(path));
      auto relative = path.substr(root.string().size() + 1);
      if (answer.kind == Kind::directory) relative += '/';
      paths.push_back(answer.kind == Kind::absent ? "-" + relative : relative);
    }
    return paths;
  }

  test::TemporaryDirectory temporary;
  fs::path root = fs::canonical(temporary.path());
  std::shared_ptr<Request> request = std::make_shared<Request>();
  std::shared_ptr<FileReader> reader;
  std::optional<FilesAhead> ahead;
};

}  // namespace

TEST_CASE_METHOD(Tree, "a name is looked for in the include directories, in order, until one has it") {
  write("second/a.h", "");
  write("first/b.h", "");
  write("second/b.h", "");
  request->source = "#include <a.h>\n#include <b.h>\n#include <c.h>\n";
  start();
  CHECK(next() == Paths{"-first/a.h", "second/a.h", "first/b.h", "-first/c.h", "-second/c.h"});
  CHECK(next().empty());
}

TEST_CASE_METHOD(Tree, "a quoted name is looked for beside its includer first") {
  write("first/lib/a.h", "#include \"b.h\"\n#include \"../c.h\"\n");
  write("first/lib/b.h", "");
  write("first/c.h", "");
  request->source = "#include \"lib/a.h\"\n";
  start();
  CHECK(next() == Paths{"-src/lib/a.h", "first/lib/", "first/lib/a.h", "first/lib/b.h", "first/lib/../",
                        "first/lib/../c.h"});
}

TEST_CASE_METHOD(Tree, "files are told in the order in which a compiler opens them, each once") {
  write("first/a.h", "#include <b.h>\n#include <c.h>\n");
  write("first/b.h", "#include <c.h>\n#include <a.h>\n");
  write("first/c.h", "");
  write("first/d.h", "#include <c.h>\n");
  request->source = "#include <a.h>\n#include <d.h>\n";
  start();
  CHECK(next() == Paths{"first/a.h", "first/b.h", "first/c.h", "first/d.h"});
}

TEST_CASE_METHOD(Tree, "what the compiler asks for comes first, and is not told again") {
  write("first/a.h", "#include <b.h>\n");
  write("first/b.h", "");
  write("first/m.h", "#include <n.h>\n");
  write("first/n.h", "");
  request->source = "#include MACRO\n#include <a.h>\n#include <m.h>\n";
  start();
  ask("first/m.h");
  CHECK(next() == Paths{"first/n.h", "first/a.h", "first/b.h"});
}

TEST_CASE_METHOD(Tree, "the directories of a file that was asked for are told") {
  write("first/lib/part/a.h", "");
  request->source = "#include MACRO\n";
  start();
  ask("first/lib/part/a.h");
  CHECK(next() == Paths{"first/lib/part/", "first/lib/"});
}

TEST_CASE_METHOD(Tree, "a batch ends where the next file has no room, and the next one starts with it") {
  write("first/a.h", std::string(60, ' '));
  write("first/b.h", std::string(60, ' '));
  write("first/c.h", std::string(300, ' '));
  write("first/d.h", "");
  request->source = "#include <a.h>\n#include <b.h>\n#include <c.h>\n#include <d.h>\n";
  start();
  CHECK(next(100) == Paths{"first/a.h"});
  CHECK(next(100) == Paths{"first/b.h"});
  CHECK(next(100) == Paths{"first/c.h", "first/d.h"});
  CHECK(next(100).empty());
}

TEST_CASE_METHOD(Tree, "a file that waits for room is not told once it was asked for") {
  write("first/a.h", std::string(60, ' '));
  write("first/b.h", std::string(60, ' '));
  request->source = "#include <a.h>\n#include <b.h>\n";
  start();
  CHECK(next(100) == Paths{"first/a.h"});
  ask("first/b.h");
  CHECK(next(100).empty());
}

TEST_CASE_METHOD(Tree, "a very large file is left to be asked for") {
  write("first/a.h", std::string((1 << 20) + 1, ' '));
  write("first/b.h", "");
  request->source = "#include <a.h>\n#include <b.h>\n";
  start();
  CHECK(next() == Paths{"first/b.h"});
}

TEST_CASE_METHOD(Tree, "what is denied is not told, nor what it hides") {
  write("outside/a.h", "");
  write("first/b.h", "");
  request->source = "#include \"" + at("outside/a.h") + "\"\n#include \"../outside/a.h\"\n#include <b.h>\n";
  start();
  CHECK(next() == Paths{"first/b.h"});
}

TEST_CASE_METHOD(Tree, "a header in memory is not looked for, and its own includes are") {
  write("first/a.h", "");
  write("first/b.h", "");
  request->headers = {{"a.h", "#include <b.h>\n#include <a.h>\n"}};
  request->source = "#include <a.h>\n";
  start();
  CHECK(next() == Paths{"first/b.h"});
}

TEST_CASE_METHOD(Tree,
                 "a path that is asked for again is the question of another compile, which is told all") {
  write("first/a.h", "#include <b.h>\n");
  write("first/b.h", "");
  request->source = "#include <a.h>\n";
  start();
  ask("first/a.h");
  CHECK(next() == Paths{"first/b.h"});
  CHECK(next().empty());
  ask("first/a.h");
  CHECK(next() == Paths{"first/b.h"});
}
