// Which files the compiler is likely to ask for next, so that they can be sent before it does.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/file_view.h"
#include "client/include_scan.h"
#include "jit/files.h"
#include "jit/request.h"

namespace kiln::client {

// Follows the #include lines of the source and of every file that it comes by, in the order in which a
// compiler opens them: depth first; for each name beside the includer if it is quoted, then in the include
// directories, until one has it. What a compile depends on never comes from here.
//
// Each path is told once, until one is asked for that was asked for before: that is the question of another
// compile, and all starts anew. Thread-safe; blocks on files.
class FilesAhead {
 public:
  FilesAhead(std::shared_ptr<const FileView> reader, std::shared_ptr<const Request> request);

  // `path` was asked for, and `answer` given: the compiler now goes on from there.
  void noteAsked(const std::string& path, const FileAnswer& answer);
  // What is likely to be asked for next: answers whose content has at most `limit` bytes, or a single one.
  // Empty when nothing more is to be expected.
  std::vector<AheadAnswer> next(std::uint64_t limit);

 private:
  // A text whose inclusions are being followed.
  struct OpenText {
    std::string directory;  // where quoted names are looked for first
    std::vector<Inclusion> inclusions;
    std::size_t next = 0;
  };
  struct Batch {
    std::vector<AheadAnswer> answers;
    std::uint64_t room;  // bytes
  };

  void startAnew();
  void enter(const std::string& path, std::string_view text);
  void follow(const Inclusion& inclusion, const std::string& includer, Batch& batch);
  bool enterHeaderInMemory(const std::string& name);
  // Whether the search ends here: a file is there, or nothing can be told.
  bool search(const std::string& path, Batch& batch);
  void tellDirectories(const std::string& path, Batch& batch);
  void tell(AheadAnswer answer, Batch& batch);
  [[nodiscard]] bool isFile(const std::string& path) const;

  const std::shared_ptr<const FileView> reader_;
  const std::shared_ptr<const Request> request_;
  const std::string sourcePath_;
  std::vector<std::string> includeDirectories_;

  std::mutex mutex_;
  std::vector<OpenText> open_;                               // the innermost last
  std::unordered_map<std::string, FileAnswer::Kind> known_;  // what was told or asked for, by path
  std::unordered_set<std::string> asked_;
  std::string lastAsked_;
  std::optional<AheadAnswer> waiting_;              // found, but too large for the batch
  std::unordered_set<std::string> headersEntered_;  // those in memory, by name
};

}  // namespace kiln::client
