#include "jit/request_hash.h"

#include <algorithm>

namespace kiln {
namespace {

template <typename T>
std::vector<T> sortedUnique(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

void forEachRequestField(const Request& request,
                         const std::function<void(std::uint8_t tag, Bytes value)>& field) {
  auto number = [&](std::uint8_t tag, std::uint64_t value) {
    auto bytes = littleEndian(value);
    field(tag, std::as_bytes(std::span(bytes)));
  };
  auto text = [&](std::uint8_t tag, std::string_view value) { field(tag, asBytes(value)); };

  number(1, kRequestHashVersion);
  number(2, static_cast<std::uint64_t>(request.language));
  number(3, static_cast<std::uint64_t>(request.target.kind));
  text(4, request.target.name);
  text(5, request.source);
  number(6, request.names.includeDirectories.size());

  std::vector<const Header*> headers;
  for (const auto& header : request.headers) headers.push_back(&header);
  std::stable_sort(headers.begin(), headers.end(),
                   [](const Header* a, const Header* b) { return a->name < b->name; });
  number(7, headers.size());
  for (const auto* header : headers) {
    text(8, header->name);
    text(9, header->content);
  }

  number(10, request.options.size());
  for (const auto& option : request.options) text(11, option);

  auto expressions = sortedUnique(request.nameExpressions);
  number(12, expressions.size());
  for (const auto& expression : expressions) text(13, expression);

  auto outputs = sortedUnique(request.outputs);
  number(14, outputs.size());
  for (auto output : outputs) number(15, static_cast<std::uint64_t>(output));

  number(16, request.timestamp);

  if (!request.inputs.empty()) {
    number(17, request.inputs.size());
    for (const auto& input : request.inputs) text(18, input);
  }
  if (request.virtualArchitecture) text(19, request.virtualArchitecture->name);
}

Hash128 requestHash(const Request& request) {
  FieldHasher hasher;
  forEachRequestField(request, [&](std::uint8_t tag, Bytes value) { hasher.field(tag, value); });
  return hasher.finish();
}

}  // namespace kiln
