// Where compiler libraries are. Nothing is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "jit/file_stamp.h"

namespace kiln {

// Where toolchains are looked for, in this order; the first of two with equal identity wins.
struct ToolchainSearch {
  std::vector<std::filesystem::path>
      paths;  // configured: a library under its usual name, or a directory that holds it somewhere below
  std::vector<std::filesystem::path> pythonPrefixes;  // prefixes whose site-packages are searched
  bool system = true;  // the vendors' variables of the environment, their usual prefixes, the directories of
                       // the distribution's libraries, the dynamic loader's cache, in this order
  std::filesystem::path programs = {};  // the directory of kiln's own compiler programs
};

// One compiler library that was found, before anything of it was loaded.
struct FoundLibrary {
  std::filesystem::path library;             // canonical
  std::filesystem::path name;                // as it was found: a link to `library`, or the same
  std::vector<std::filesystem::path> files;  // every file that decides its output, `library` first
  std::vector<FolderStamp> folders;  // from before `files` were looked for, of all that may be one of them
};

// Where a vendor's software is.
struct Vendor {
  std::vector<const char*> variables;          // of the environment, that name a prefix: "CUDA_HOME"
  std::vector<std::string_view> prefixes;      // "/opt/rocm": this and "/opt/rocm-7.0.0"
  std::vector<std::string_view> wheelFolders;  // below site-packages; a part that ends with '*' may go on
};

const Vendor& nvidia();
const Vendor& amd();

// Where libraries of a kind are below the places of a search.
struct LibraryPlaces {
  std::vector<std::string_view> ofPrefix = {"lib64", "lib", "targets/x86_64-linux/lib"};
  std::vector<std::string_view> ofSitePackages = {};  // empty: the vendor's
  std::vector<std::string_view> ofDistribution = {"/usr/lib/x86_64-linux-gnu", "/usr/lib64"};
};

// What a frontend's library is called, and what belongs to it.
struct LibraryKind {
  std::vector<std::string_view> stems;  // "libnvrtc": of "libnvrtc.so", "libnvrtc.so.13"
  const Vendor* vendor = nullptr;
  // Whether `library` (canonical) is one; null: all that are called so.
  bool (*accepts)(const std::filesystem::path& library) = nullptr;
  // What the names of companions begin with, beside the stems.
  std::vector<std::string_view> companionStems = {};
  // The other files that decide what `library` (canonical) compiles. Null: there are none.
  std::vector<std::filesystem::path> (*companions)(const std::filesystem::path& library) = nullptr;
  std::string_view suffix = ".so";  // a version may follow: ".so.13"
  LibraryPlaces places = {};
};

// Every library of this kind, each file once, in the order of `search`; the toolkits' stubs are left out. A
// library without its companions is listed too: loading it says what is missing.
std::vector<FoundLibrary> findLibraries(const LibraryKind& kind, const ToolchainSearch& search);

// The compiler program of kiln's own that is called `name`, as the library that it is; its files are those of
// the compiler's libraries too that it is linked with. None if it is not installed.
std::vector<FoundLibrary> findProgram(std::string_view name, const ToolchainSearch& search);

// The places that `search` names, and in the system's part CUDA_HOME and CUDA_PATH, in which there is no
// library of any of `kinds` and none of kiln's own `programs`: a line each, for a person.
std::vector<std::string> emptyPlaces(const std::vector<LibraryKind>& kinds,
                                     const std::vector<std::string_view>& programs,
                                     const ToolchainSearch& search);

// The names in `directory`, sorted; none if it cannot be read.
std::vector<std::filesystem::path> entriesOf(const std::filesystem::path& directory);

}  // namespace kiln
