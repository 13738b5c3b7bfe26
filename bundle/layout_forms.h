// The two forms of a layout, a directory and an archive, behind one interface for reading and one for
// writing.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "bundle/file.h"
#include "bundle/problem.h"
#include "jit/hash.h"

namespace kiln::bundle {

inline constexpr std::string_view kLayoutName = "oci-layout";
inline constexpr std::string_view kIndexName = "index.json";

// Where files of a layout are read. What it gives is not verified. Thread-safe.
class LayoutSource {
 public:
  virtual ~LayoutSource() = default;

  // The bytes of oci-layout or index.json, at most kMaxDocumentSize.
  [[nodiscard]] virtual Attempt<std::string> document(std::string_view name) const = 0;
  // The bytes of a blob if it has exactly `size`.
  [[nodiscard]] virtual Attempt<std::string> blob(const Sha256& digest, std::uint64_t size) const = 0;
};

Attempt<std::unique_ptr<LayoutSource>> openDirectory(FileDescriptor directory);
// Reads the header of every member.
Attempt<std::unique_ptr<LayoutSource>> openArchive(FileDescriptor file);

// Where a layout is written. Destroyed before finish() has succeeded it leaves nothing behind.
class LayoutTarget {
 public:
  virtual ~LayoutTarget() = default;

  // Each digest once.
  virtual Attempt<void> addBlob(const Sha256& digest, std::string_view bytes) = 0;
  // Adds both documents and puts the layout in its place.
  virtual Attempt<void> finish(std::string_view layout, std::string_view index) = 0;
};

Attempt<std::unique_ptr<LayoutTarget>> createDirectory(const std::filesystem::path& path);
Attempt<std::unique_ptr<LayoutTarget>> createArchive(const std::filesystem::path& path);

}  // namespace kiln::bundle
