// One pass over the headers notes where each file of the layout lies; later each is read at its place.
// libarchive decodes the headers, and knows here nothing but tar: nothing is decompressed, and nothing is
// extracted.
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_map>

#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"
#include "bundle/oci_layout.h"

namespace kiln::bundle {
namespace {

constexpr std::uint64_t kRecord = 512;
constexpr std::size_t kBlockSize = kRecord;  // read at once: what lies between headers is passed over

struct Extent {
  std::uint64_t offset;
  std::uint64_t size;
};

struct Members {
  std::map<std::string, Extent, std::less<>> documents;
  std::unordered_map<Sha256, Extent> blobs;
  std::uint64_t end = 0;  // of the last member
};

// The name without "./" before it and "/" behind it, "" for the layout's own folder; nothing if it leads
// elsewhere, or is one of several ways to write a name.
std::optional<std::string_view> plainName(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  if (name.empty() || name == ".") return "";
  if (name.ends_with('/')) name.remove_suffix(1);
  for (std::size_t start = 0; start <= name.size();) {
    auto end = std::min(name.find('/', start), name.size());
    auto component = name.substr(start, end - start);
    if (component.empty() || component == "." || component == "..") return std::nullopt;
    start = end + 1;
  }
  return name;
}

// What a member is that a layout has no use for.
const char* unwantedKind(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return "a hard link";
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR:
      return archive_entry_sparse_count(entry) > 0 ? "a sparse file" : nullptr;
    case AE_IFLNK:
      return "a symbolic link";
    case AE_IFIFO:
      return "a FIFO";
    case AE_IFBLK:
    case AE_IFCHR:
      return "a device";
    default:
      return "of an unknown kind";
  }
}

Attempt<void> note(Members& members, std::string_view name, const Extent& extent) {
  bool isNew = true;
  if (name == kLayoutName || name == kIndexName) {
    isNew = members.documents.emplace(name, extent).second;
  } else if (name.starts_with(kBlobsPrefix)) {
    auto digest = digestFromHex(name.substr(kBlobsPrefix.size()));
    if (digest) isNew = members.blobs.emplace(*digest, extent).second;
  }
  if (!isNew) return damaged("it has two members with the name " + printable(name));
  return {};
}

Attempt<void> noteMember(Members& members, archive* reader, archive_entry* entry, std::uint64_t fileSize) {
  const char* stored = archive_entry_pathname(entry);
  if (stored == nullptr) return damaged("it has a member without a readable name");
  auto name = plainName(stored);
  if (!name)
    return problem("its member " + printable(stored) + " has a path that leads elsewhere; do not trust it");
  if (const auto* kind = unwantedKind(entry)) {
    return problem("its member " + printable(stored) + " is " + kind +
                   ", which no layout has; do not trust it");
  }
  auto offset = static_cast<std::uint64_t>(archive_filter_bytes(reader, 0));
  members.end = offset;
  if (archive_entry_filetype(entry) == AE_IFDIR) return {};
  auto size = static_cast<std::uint64_t>(archive_entry_size(entry));
  if (offset > fileSize || size > fileSize - offset) {
    return damaged("its member " + printable(stored) + " ends behind the end of the file");
  }
  members.end = offset + (size + kRecord - 1) / kRecord * kRecord;
  return note(members, *name, {offset, size});
}

// Two records of zeros end a tar: without them it may have had more members.
Attempt<void> checkEnd(const FileDescriptor& file, std::uint64_t end) {
  auto records = readAt(file, end, 2 * kRecord, "its end");
  if (!records || std::ranges::any_of(*records, [](char c) { return c != 0; })) {
    return damaged("the tar ends too early");
  }
  return {};
}

const char* compression(std::string_view start) {
  if (start.starts_with("\x1f\x8b")) return "gzip";
  if (start.starts_with("\x28\xb5\x2f\xfd")) return "zstd";
  if (start.starts_with("\xfd\x37zXZ")) return "xz";
  if (start.starts_with("BZh")) return "bzip2";
  if (start.starts_with("\x04\x22\x4d\x18")) return "lz4";
  return nullptr;
}

Attempt<void> checkCompression(const FileDescriptor& file, std::uint64_t fileSize) {
  auto start = readAt(file, 0, std::min<std::uint64_t>(fileSize, 6), "it");
  if (!start) return std::unexpected(start.error());
  if (const auto* format = compression(*start)) {
    return problem("it is compressed with " + std::string(format) +
                   "; decompress it first: blobs are checked as they are");
  }
  return {};
}

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

Attempt<Members> indexMembers(const FileDescriptor& file, std::uint64_t fileSize) {
  std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_format_tar(reader.get());
  auto unreadable = [&] {
    const char* why = archive_error_string(reader.get());
    return damaged(std::string("it cannot be read as a tar: ") + (why == nullptr ? "unknown error" : why));
  };
  if (archive_read_open_fd(reader.get(), file.number(), kBlockSize) != ARCHIVE_OK) return unreadable();
  Members members;
  std::uint64_t count = 0;
  for (;;) {
    archive_entry* entry = nullptr;
    int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return unreadable();
    if (++count > kMaxMembers) return problem("it has more than 1000000 members; give a smaller layout");
    if (auto noted = noteMember(members, reader.get(), entry, fileSize); !noted) {
      return std::unexpected(noted.error());
    }
  }
  if (auto ended = checkEnd(file, members.end); !ended) return std::unexpected(ended.error());
  return members;
}

class ArchiveSource final : public LayoutSource {
 public:
  ArchiveSource(FileDescriptor file, Members members)
      : file_(std::move(file)), members_(std::move(members)) {}

  [[nodiscard]] Attempt<std::string> document(std::string_view name) const override {
    auto found = members_.documents.find(name);
    if (found == members_.documents.end()) return damaged("there is no " + std::string(name) + " in it");
    auto [offset, size] = found->second;
    if (size > kMaxDocumentSize) return damaged("its " + std::string(name) + " is larger than 64 MiB");
    return readAt(file_, offset, size, name);
  }

  [[nodiscard]] Attempt<std::string> blob(const Sha256& digest, std::uint64_t size) const override {
    auto found = members_.blobs.find(digest);
    if (found == members_.blobs.end()) return damaged(blobName(digest) + " is not in it");
    if (found->second.size != size) return otherSize(digest, found->second.size, size);
    return readAt(file_, found->second.offset, size, "a blob");
  }

 private:
  FileDescriptor file_;
  Members members_;
};

}  // namespace

Attempt<std::unique_ptr<LayoutSource>> openArchive(FileDescriptor file) {
  struct stat status;
  if (fstat(file.number(), &status) != 0) return cannot("look at", "it", errno);
  auto fileSize = static_cast<std::uint64_t>(status.st_size);
  if (auto plain = checkCompression(file, fileSize); !plain) return std::unexpected(plain.error());
  auto members = indexMembers(file, fileSize);
  if (!members) return std::unexpected(members.error());
  return std::make_unique<ArchiveSource>(std::move(file), *std::move(members));
}

}  // namespace kiln::bundle
