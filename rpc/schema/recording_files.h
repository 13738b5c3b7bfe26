// What the files of a recording are called; recording.capnp says what is in them.
#pragma once

namespace kiln::recording {

inline constexpr const char* kRequests = "requests";
inline constexpr const char* kContent = "content";
inline constexpr const char* kRequestExtension = ".kreq";
inline constexpr const char* kIncomplete = "incomplete";

}  // namespace kiln::recording
