// The files that a command line names.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::cli {

// Why a file could not be read or written: which, and what the system said.
struct FileProblem {
  std::string message;
};

// All of a file; "-" is standard input.
std::expected<std::string, FileProblem> readFile(const std::string& path);

struct FileToWrite {
  std::string path;
  std::string_view content;
};

// Writes every file or none: each is complete under a temporary name beside its place before the first one
// takes it. What is there already and is no regular file, such as /dev/stdout, is written to instead of
// replaced.
std::expected<void, FileProblem> writeFiles(const std::vector<FileToWrite>& files);

}  // namespace kiln::cli
