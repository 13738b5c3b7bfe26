#include "client/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace kiln::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ > STDERR_FILENO) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::unexpected<FileProblem> problem(const char* action, const std::string& path) {
  return std::unexpected(
      FileProblem{std::string("cannot ") + action + " " + path + ": " + std::strerror(errno)});
}

bool writeAll(int descriptor, std::string_view content) {
  while (!content.empty()) {
    auto written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Where a file's content waits until all are complete. Removed unless it was put in its place.
class Pending {
 public:
  // `place` follows symbolic links, so that a link stays one.
  explicit Pending(std::string path) : path_(std::move(path)), place_(path_) {
    std::unique_ptr<char, decltype(&std::free)> real(realpath(path_.c_str(), nullptr), &std::free);
    if (real) place_ = real.get();
    struct stat status{};
    inPlace_ = stat(place_.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
    temporary_ = inPlace_ ? place_ : place_ + ".kiln-" + std::to_string(getpid());
  }
  ~Pending() {
    if (created_) unlink(temporary_.c_str());
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  std::expected<void, FileProblem> write(std::string_view content) {
    int flags = inPlace_ ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
    Descriptor file(open(temporary_.c_str(), flags | O_CLOEXEC, 0666));
    if (file.number() < 0) return problem("write", path_);
    created_ = !inPlace_;
    if (!writeAll(file.number(), content)) return problem("write", path_);
    return {};
  }

  std::expected<void, FileProblem> publish() {
    if (inPlace_) return {};
    if (rename(temporary_.c_str(), place_.c_str()) != 0) return problem("write", path_);
    created_ = false;
    return {};
  }

 private:
  std::string path_;
  std::string place_;
  std::string temporary_;
  bool inPlace_ = false;
  bool created_ = false;
};

}  // namespace

std::expected<std::string, FileProblem> readFile(const std::string& path) {
  Descriptor file(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return problem("read", path);
  std::string content;
  std::array<char, 1 << 16> chunk;
  for (;;) {
    auto count = read(file.number(), chunk.data(), chunk.size());
    if (count == 0) return content;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return problem("read", path);
    content.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

std::expected<void, FileProblem> writeFiles(const std::vector<FileToWrite>& files) {
  std::vector<std::unique_ptr<Pending>> pending;
  for (const auto& file : files) {
    pending.push_back(std::make_unique<Pending>(file.path));
    if (auto written = pending.back()->write(file.content); !written) return written;
  }
  for (auto& file : pending) {
    if (auto published = file->publish(); !published) return published;
  }
  return {};
}

}  // namespace kiln::cli
