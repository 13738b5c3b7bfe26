// What hiprtc's logs say. They are clang's.
#pragma once

#include <string>
#include <string_view>

namespace kiln::hiprtc {

// comgr writes the source and the headers in memory into a directory of its own, "/tmp/comgr-1a2b3c", and
// tells of them by the names that they have there. `log` with the names that the asker gave them: `source`,
// and a header's own.
std::string withOwnNames(std::string_view log, std::string_view source);

// Whether the log of a compile that failed says that it was for an option: an error without a place in a
// text.
bool saysBadOption(std::string_view log);

}  // namespace kiln::hiprtc
