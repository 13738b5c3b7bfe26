// The request hash: the one place that says what makes two requests the same.
//
//   hash = XXH3-128 over the fields below, each as FieldHasher frames it, in this order
//     tag 1       u64    kRequestHashVersion
//     tag 2       u64    language
//     tag 3, 4    u64, bytes  target: kind, name
//     tag 5       bytes  source
//     tag 6       u64    number of include directories; their names stay out (names_binding.h)
//     tag 7       u64    number of headers; then for each, sorted by name: tag 8 name, tag 9 content
//     tag 10      u64    number of options; then for each, in order: tag 11
//     tag 12      u64    number of name expressions; then for each, sorted, without duplicates: tag 13
//     tag 14      u64    number of outputs; then for each, sorted, without duplicates: tag 15 u64
//     tag 16      u64    timestamp
//     tag 17      u64    number of further inputs; then for each, in order: tag 18; nothing if there are none
//
// History: 1 is the first. Any change above is a new version; a client and a daemon of different versions
// refuse each other when they connect. A field that is left out where it is empty may be added at the end:
// requests without it keep their hash, and whoever does not know it computes another one for those that have
// it.
#pragma once

#include <cstdint>
#include <functional>

#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

inline constexpr std::uint32_t kRequestHashVersion = 1;

Hash128 requestHash(const Request& request);

// Gives the fields above to `field`, in order; numbers as 8 little-endian bytes.
void forEachRequestField(const Request& request,
                         const std::function<void(std::uint8_t tag, Bytes value)>& field);

}  // namespace kiln
