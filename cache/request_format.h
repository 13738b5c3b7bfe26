// The stored form of a Request.
//
//   request = record of magic "KREQ" (record.h) with the sections
//     1 target       language u16, target kind u8, target name text
//     2 source       text
//     3 names        source text, working directory text, include directories list of text
//     4 headers      list of (name text, content text)
//     5 options      list of text
//     6 expressions  list of text: the name expressions
//     7 outputs      list of u16
//     8 timestamp    u64
//     9 inputs       list of text: the further inputs
//   Language, target kind and outputs are the values of Language, Target::Kind and OutputKind. The order of
//   every list is the request's own.
//
// History: 1 is the first; 2 has the further inputs.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "cache/record.h"
#include "jit/request.h"

namespace kiln {

inline constexpr std::uint16_t kRequestFormatVersion = 2;

std::string encodeRequest(const Request& request);
std::expected<Request, ParseError> parseRequest(Bytes bytes);

}  // namespace kiln
