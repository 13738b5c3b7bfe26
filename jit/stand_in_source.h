// Sources with random names: what they are compiled as.
//
// CuPy, cuda.core and their like write a source to a fresh path below the temporary directory, or only name
// one. Where names reach the output such a name would make every entry good for one asker. So a source that
// is named below the temporary directory is compiled under a stand-in, which follows from the request:
// outputs hold it in place of the random name, and logs are shown under the asker's own (log_names.h).
//
// The further inputs of a link have stand-ins always: no output holds their names, and logs are shown under
// the asker's own.
#pragma once

#include <string>
#include <string_view>

#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

// The directory of all stand-ins. It is the source's directory and nobody's else: a path below it has no
// other role (role_path.h), though the working directory may be "/".
inline constexpr std::string_view kStandInDirectory = "/kiln-source";

// The names under which a request of this hash is compiled: `names`, but for a stand-in in place of a source
// below names.temporaryDirectory, and of each further input.
Names compiledNames(Names names, const Hash128& requestHash);

// Between the paths of a compile under a stand-in and those of one asker. Immutable.
class StandInPaths {
 public:
  // `asked` as the asker has them, `compiled` as compiledNames() made them, of it or of another asker's.
  StandInPaths(const Names& asked, const Names& compiled);

  // Whether there is anything to translate.
  explicit operator bool() const { return !directory_.empty(); }
  // The asker's path for one of the compile.
  [[nodiscard]] std::string toAsker(std::string path) const;
  // The compile's path for one of the asker. A directory above the source's own becomes the source's own:
  // whoever says that it is missing says so of all below it.
  [[nodiscard]] std::string toCompile(std::string path) const;
  // `text` with the compile's paths in it replaced by the asker's.
  [[nodiscard]] std::string textForAsker(std::string text) const;

 private:
  std::string directory_;  // the asker's, of the source; empty if the source has no stand-in
  std::string standIn_;    // the source's
  std::string source_;     // as the asker calls it
};

// `text` with the stand-ins of further inputs in it replaced by the asker's names for them.
std::string inputsForAsker(std::string text, const Names& asked);

}  // namespace kiln
