// The files that a kernel was recorded with, in place of a file system.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "bundle/blob_folder.h"
#include "bundle/lock.h"
#include "client/file_view.h"

namespace kiln::cli {

// The contents of a lock, each read and checked once. Thread-safe.
class LockContents {
 public:
  explicit LockContents(bundle::BlobFolder folder) : folder_(std::move(folder)) {}

  struct Content {
    std::string text;
    Hash128 xxh3;
  };
  bundle::BundleResult<std::shared_ptr<const Content>> read(const Sha256& digest);

 private:
  const bundle::BlobFolder folder_;
  std::mutex mutex_;
  std::map<Sha256, std::shared_ptr<const Content>> known_;
};

// Answers as the file system did when the kernel was recorded. Of what nobody asked for then nothing is
// known: it is denied, so that no binary is made of a guess.
class RecordedFiles final : public client::FileView {
 public:
  // `contents` outlives it.
  RecordedFiles(const bundle::LockedKernel& kernel, LockContents& contents);

  [[nodiscard]] FileAnswer look(const std::string& path) const override;
  [[nodiscard]] FileAnswer list(const std::string& path) const override;
  [[nodiscard]] FileAnswer readLink(const std::string& path) const override;
  [[nodiscard]] FileAnswer resolve(const std::string& path) const override;
  [[nodiscard]] Digests digests(std::span<const DigestQuestion> questions) const override;

 private:
  // By kind, since a path may have been asked for in several ways.
  using Facts = std::map<FileKind, Dependency>;

  // The path and what it lies in.
  void addDirectories(const std::string& path);
  [[nodiscard]] const Dependency* find(const std::string& path, FileKind kind) const;
  // The shallowest directory of the path that was missing; empty if none was.
  [[nodiscard]] std::string missing(const std::string& path) const;
  [[nodiscard]] FileAnswer unknown(const std::string& path) const;
  // What `kind` of text was recorded of the path.
  [[nodiscard]] FileAnswer textOf(const std::string& path, FileKind kind, FileAnswer::Kind answer) const;
  [[nodiscard]] std::optional<FileState> state(const DigestQuestion& question) const;

  const std::string name_;
  std::map<std::string, Facts> facts_;  // by absolute path
  // What no dependency tells, since it follows: the request's own directories, and those in which files are.
  std::set<std::string> directories_;
  LockContents& contents_;
};

}  // namespace kiln::cli
