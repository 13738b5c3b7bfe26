// Each C function that kiln-compiler defines in place of the C library's, called by name from a shared
// library: what a compiler library may do, without a compiler. Target file_calls; misbehaving_nvrtc holds the
// same code.
#pragma once

extern "C" {

// Calls `function` ("open", "__xstat64", "getpid") on `path`, which functions that take no path ignore, and
// describes what came of it:
//   text: CONTENT          open, fopen and their kin: the whole content
//   opened for writing     creat
//   file of N bytes        stat and its kin; or: directory, link, other
//   granted                access and its kin
//   link: TEXT             readlink and its kin
//   path: TEXT             realpath, getcwd and their kin
//   names: A B C           opendir, readdir, scandir and their kin, in the order that the function gave,
//                          without "." and ".."
//   number: N              getpid
//   seconds: N             time and its kin; nanoseconds: N follows where the function tells them
//   bytes: HEX             getrandom and its kin
//   error: ENOENT          the function failed, with this errno
//   unknown function       it is none of fileCallNames()
// The text stays valid until the thread's next call.
const char* fileCall(const char* function, const char* path);

// The names that fileCall knows, ended by null.
const char* const* fileCallNames();
}
