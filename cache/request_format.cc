#include "cache/request_format.h"

#include "cache/target_format.h"

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KREQ";

enum Section : std::uint16_t {
  kTarget = 1,
  kSource = 2,
  kNames = 3,
  kHeaders = 4,
  kOptions = 5,
  kExpressions = 6,
  kOutputs = 7,
  kTimestamp = 8,
  kInputs = 9,
};

void writeTexts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.count(texts.size());
  for (const auto& text : texts) out.text(text);
}

std::vector<std::string> readTexts(ByteReader& in) {
  std::vector<std::string> texts(in.count(4));
  for (auto& text : texts) text = in.text();
  return texts;
}

std::vector<Header> readHeaders(ByteReader& in) {
  std::vector<Header> headers(in.count(4 + 4));
  for (auto& header : headers) {
    header.name = in.text();
    header.content = in.text();
  }
  return headers;
}

std::vector<OutputKind> readOutputs(ByteReader& in) {
  std::vector<OutputKind> outputs(in.count(2));
  for (auto& output : outputs) {
    auto kind = outputKindFromNumber(in.u16());
    if (!kind) in.fail();
    output = kind.value_or(OutputKind::cubin);
  }
  return outputs;
}

}  // namespace

std::string encodeRequest(const Request& request) {
  RecordWriter record(kMagic, kRequestFormatVersion);
  record.section(kTarget, [&](ByteWriter& out) {
    out.u16(static_cast<std::uint16_t>(request.language));
    writeTarget(out, request.target);
  });
  record.section(kSource, [&](ByteWriter& out) { out.text(request.source); });
  record.section(kNames, [&](ByteWriter& out) {
    out.text(request.names.source);
    out.text(request.names.workingDirectory);
    writeTexts(out, request.names.includeDirectories);
  });
  record.section(kHeaders, [&](ByteWriter& out) {
    out.count(request.headers.size());
    for (const auto& header : request.headers) {
      out.text(header.name);
      out.text(header.content);
    }
  });
  record.section(kOptions, [&](ByteWriter& out) { writeTexts(out, request.options); });
  record.section(kExpressions, [&](ByteWriter& out) { writeTexts(out, request.nameExpressions); });
  record.section(kOutputs, [&](ByteWriter& out) {
    out.count(request.outputs.size());
    for (auto output : request.outputs) out.u16(static_cast<std::uint16_t>(output));
  });
  record.section(kTimestamp, [&](ByteWriter& out) { out.u64(request.timestamp); });
  record.section(kInputs, [&](ByteWriter& out) { writeTexts(out, request.inputs); });
  return record.finish();
}

std::expected<Request, ParseError> parseRequest(Bytes bytes) {
  auto record = RecordReader::open(bytes, kMagic, kRequestFormatVersion);
  if (!record) return std::unexpected(std::move(record.error()));
  Request request;
  auto readLanguageAndTarget = [&](ByteReader& in) {
    auto language = languageFromNumber(in.u16());
    if (!language) in.fail();
    request.language = language.value_or(Language::cuda);
    request.target = readTarget(in);
  };
  auto readNames = [&](ByteReader& in) {
    request.names.source = in.text();
    request.names.workingDirectory = in.text();
    request.names.includeDirectories = readTexts(in);
  };
  bool good =
      record->section(kTarget, readLanguageAndTarget) &&
      record->section(kSource, [&](ByteReader& in) { request.source = in.text(); }) &&
      record->section(kNames, readNames) &&
      record->section(kHeaders, [&](ByteReader& in) { request.headers = readHeaders(in); }) &&
      record->section(kOptions, [&](ByteReader& in) { request.options = readTexts(in); }) &&
      record->section(kExpressions, [&](ByteReader& in) { request.nameExpressions = readTexts(in); }) &&
      record->section(kOutputs, [&](ByteReader& in) { request.outputs = readOutputs(in); }) &&
      record->section(kTimestamp, [&](ByteReader& in) { request.timestamp = in.u64(); }) &&
      record->section(kInputs, [&](ByteReader& in) { request.inputs = readTexts(in); });
  if (!good) return std::unexpected(ParseError{"a section of the request is missing or damaged"});
  return request;
}

}  // namespace kiln
