#include "rpc/schema/convert.h"

#include <algorithm>
#include <set>

namespace kiln::convert {
namespace {

std::unexpected<Failure> invalid(std::string message) {
  return std::unexpected(Failure{FailureKind::invalidRequest, std::move(message)});
}

template <std::size_t N>
void writeDigest(auto&& set, const Digest<N>& digest) {
  if (!digest.isZero()) set(toData(digest.view()));
}

// Empty data is the zero digest; anything else must have the digest's size.
template <std::size_t N>
bool readDigest(capnp::Data::Reader data, Digest<N>& digest) {
  if (data.size() == 0) {
    digest = {};
    return true;
  }
  auto value = Digest<N>::fromBytes(bytes(data));
  if (!value) return false;
  digest = *value;
  return true;
}

std::vector<std::string> readTexts(capnp::List<capnp::Text>::Reader reader) {
  std::vector<std::string> texts;
  texts.reserve(reader.size());
  for (auto item : reader) texts.emplace_back(text(item));
  return texts;
}

void writeTexts(capnp::List<capnp::Text>::Builder builder, const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < texts.size(); ++i) builder.set(i, toText(texts[i]));
}

Read<std::vector<OutputKind>> readOutputs(capnp::List<uint16_t>::Reader reader, const Target& target) {
  std::vector<OutputKind> outputs;
  for (auto number : reader) {
    auto kind = outputKindFromNumber(number);
    if (!kind)
      return invalid("output kind " + std::to_string(number) + " is unknown to this version of kiln");
    outputs.push_back(*kind);
  }
  if (outputs.empty()) outputs.push_back(usualOutput(target));
  std::sort(outputs.begin(), outputs.end());
  outputs.erase(std::unique(outputs.begin(), outputs.end()), outputs.end());
  return outputs;
}

Read<void> readInputs(schema::Request::Reader reader, Request& request) {
  for (auto input : reader.getInputs()) request.inputs.emplace_back(text(input));
  const auto& names = request.names.inputs;
  if (names.size() != request.inputs.size()) {
    return invalid("the request has " + std::to_string(request.inputs.size()) + " further inputs and " +
                   std::to_string(names.size()) + " names for them; give each one");
  }
  if (request.inputs.empty() || request.language == Language::ptx) return {};
  return invalid("the further input '" + names.front() + "' cannot be linked with " +
                 std::string(name(request.language)) +
                 ", which is compiled from one source; link PTX or LTO IR");
}

Read<void> readVirtualArchitecture(schema::Request::Reader reader, Request& request) {
  const auto given = text(reader.getVirtualArchitecture());
  if (given.empty()) return {};
  auto architecture = parseTarget(given);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  request.virtualArchitecture = std::move(*architecture);
  if (request.language == Language::cuda) return {};
  return invalid("the virtual architecture " + request.virtualArchitecture->name + " is one of cuda, and '" +
                 request.names.source + "' is " + std::string(name(request.language)) + "; leave it out");
}

}  // namespace

void write(schema::Names::Builder builder, const Names& names) {
  builder.setSource(toText(names.source));
  builder.setWorkingDirectory(toText(names.workingDirectory));
  writeTexts(builder.initIncludeDirectories(names.includeDirectories.size()), names.includeDirectories);
  builder.setTemporaryDirectory(toText(names.temporaryDirectory));
  writeTexts(builder.initInputs(names.inputs.size()), names.inputs);
}

Names read(schema::Names::Reader reader) {
  return {std::string(text(reader.getSource())), std::string(text(reader.getWorkingDirectory())),
          readTexts(reader.getIncludeDirectories()), std::string(text(reader.getTemporaryDirectory())),
          readTexts(reader.getInputs())};
}

void write(schema::Request::Builder builder, const Request& request) {
  builder.setLanguage(static_cast<std::uint16_t>(request.language));
  builder.setTarget(toText(request.target.name));
  builder.setSource(toData(request.source));
  write(builder.initNames(), request.names);
  auto headers = builder.initHeaders(request.headers.size());
  for (unsigned i = 0; i < request.headers.size(); ++i) {
    headers[i].setName(toText(request.headers[i].name));
    headers[i].setContent(toData(request.headers[i].content));
  }
  writeTexts(builder.initOptions(request.options.size()), request.options);
  writeTexts(builder.initNameExpressions(request.nameExpressions.size()), request.nameExpressions);
  auto outputs = builder.initOutputs(request.outputs.size());
  for (unsigned i = 0; i < request.outputs.size(); ++i) {
    outputs.set(i, static_cast<std::uint16_t>(request.outputs[i]));
  }
  builder.setTimestamp(request.timestamp);
  auto inputs = builder.initInputs(request.inputs.size());
  for (unsigned i = 0; i < request.inputs.size(); ++i) inputs.set(i, toData(request.inputs[i]));
  if (request.virtualArchitecture) builder.setVirtualArchitecture(toText(request.virtualArchitecture->name));
}

Read<Request> read(schema::Request::Reader reader) {
  Request request;
  auto language = languageFromNumber(reader.getLanguage());
  if (!language) {
    return invalid(
        "language " + std::to_string(reader.getLanguage()) +
        " is unknown to this version of kiln, which knows cuda; use a kilnd of the client's version");
  }
  request.language = *language;
  auto target = parseTarget(text(reader.getTarget()));
  if (!target) return std::unexpected(std::move(target.error()));
  request.target = std::move(*target);
  request.source = text(reader.getSource());
  request.names = read(reader.getNames());
  if (!request.names.workingDirectory.starts_with('/')) {
    return invalid("the working directory '" + request.names.workingDirectory +
                   "' is not an absolute path; give one that begins with '/'");
  }
  std::set<std::string_view> headerNames;
  for (auto header : reader.getHeaders()) {
    auto headerName = text(header.getName());
    if (headerName.empty())
      return invalid("a header in memory has no name; give each the name it is included by");
    if (!headerNames.insert(headerName).second) {
      return invalid("the header in memory '" + std::string(headerName) +
                     "' is given twice; give each name once");
    }
    request.headers.push_back({std::string(headerName), std::string(text(header.getContent()))});
  }
  request.options = readTexts(reader.getOptions());
  request.nameExpressions = readTexts(reader.getNameExpressions());
  auto outputs = readOutputs(reader.getOutputs(), request.target);
  if (!outputs) return std::unexpected(std::move(outputs.error()));
  request.outputs = std::move(*outputs);
  request.timestamp = reader.getTimestamp();
  if (auto inputs = readInputs(reader, request); !inputs) return std::unexpected(std::move(inputs.error()));
  if (auto stages = readVirtualArchitecture(reader, request); !stages) {
    return std::unexpected(std::move(stages.error()));
  }
  return request;
}

void write(schema::Failure::Builder builder, const Failure& failure) {
  builder.setKind(static_cast<std::uint16_t>(failure.kind));
  builder.setMessage(toText(failure.message));
  builder.setLog(toData(failure.log));
}

Failure read(schema::Failure::Reader reader) {
  auto kind = failureKindFromNumber(reader.getKind()).value_or(FailureKind::internal);
  return {kind, std::string(text(reader.getMessage())), std::string(text(reader.getLog()))};
}

void write(capnp::List<schema::Dependency>::Builder builder, const DependencySet& dependencies) {
  for (unsigned i = 0; i < dependencies.size(); ++i) {
    const auto& dependency = dependencies[i];
    auto item = builder[i];
    item.setRole(static_cast<std::uint8_t>(dependency.path.role));
    item.setIndex(dependency.path.index);
    item.setPath(toText(dependency.path.path));
    item.setKind(static_cast<std::uint8_t>(dependency.kind));
    item.setSize(dependency.size);
    writeDigest([&](auto data) { item.setXxh3(data); }, dependency.xxh3);
    writeDigest([&](auto data) { item.setSha256(data); }, dependency.sha256);
    item.setFileNumber(dependency.fileNumber);
  }
}

Read<DependencySet> read(capnp::List<schema::Dependency>::Reader reader) {
  DependencySet dependencies;
  dependencies.reserve(reader.size());
  for (auto item : reader) {
    Dependency dependency;
    auto path = std::string(text(item.getPath()));
    if (item.getRole() < 1 || item.getRole() > 4 || item.getKind() < 1 || item.getKind() > 7) {
      return invalid("the dependency '" + path + "' has an unknown role or kind");
    }
    dependency.path = {static_cast<FileRole>(item.getRole()), item.getIndex(), std::move(path)};
    dependency.kind = static_cast<FileKind>(item.getKind());
    dependency.size = item.getSize();
    if (!readDigest(item.getXxh3(), dependency.xxh3) || !readDigest(item.getSha256(), dependency.sha256)) {
      return invalid("a digest of the dependency '" + dependency.path.path + "' has the wrong size");
    }
    dependency.fileNumber = item.getFileNumber();
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

void write(schema::Artifact::Builder builder, const Artifact& artifact) {
  auto outputs = builder.initOutputs(artifact.outputs.size());
  for (unsigned i = 0; i < artifact.outputs.size(); ++i) {
    writeBesidesBytes(outputs[i], artifact.outputs[i]);
    outputs[i].setInline(toData(artifact.outputs[i].bytes));
  }
  writeBesidesOutputs(builder, artifact);
}

void writeBesidesOutputs(schema::Artifact::Builder builder, const Artifact& artifact) {
  builder.setLog(toData(artifact.log));
  auto names = builder.initLoweredNames(artifact.loweredNames.size());
  for (unsigned i = 0; i < artifact.loweredNames.size(); ++i) {
    names[i].setExpression(toText(artifact.loweredNames[i].expression));
    names[i].setLowered(toText(artifact.loweredNames[i].lowered));
  }
  write(builder.initResources(), artifact.resources);
}

void writeBesidesBytes(schema::Output::Builder builder, const Output& output) {
  builder.setKind(static_cast<std::uint16_t>(output.kind));
  builder.setSize(output.bytes.size());
  writeDigest([&](auto data) { builder.setSha256(data); }, output.sha256);
}

Read<Artifact> read(schema::Artifact::Reader reader) {
  Artifact artifact;
  for (auto item : reader.getOutputs()) {
    Output output;
    auto kind = outputKindFromNumber(item.getKind());
    if (!kind)
      return invalid("output kind " + std::to_string(item.getKind()) + " is unknown to this version of kiln");
    output.kind = *kind;
    if (!readDigest(item.getSha256(), output.sha256)) return invalid("an output's digest has the wrong size");
    if (item.isInline()) output.bytes = text(item.getInline());
    artifact.outputs.push_back(std::move(output));
  }
  artifact.log = text(reader.getLog());
  for (auto item : reader.getLoweredNames()) {
    artifact.loweredNames.push_back(
        {std::string(text(item.getExpression())), std::string(text(item.getLowered()))});
  }
  artifact.resources = read(reader.getResources());
  return artifact;
}

void write(schema::ResourceUsage::Builder builder, const ResourceUsage& usage) {
  auto kernels = builder.initKernels(usage.kernels.size());
  for (unsigned i = 0; i < usage.kernels.size(); ++i) {
    kernels[i].setKernel(toText(usage.kernels[i].kernel));
    auto figures = kernels[i].initFigures(usage.kernels[i].figures.size());
    unsigned at = 0;
    for (auto [resource, amount] : usage.kernels[i].figures) {
      figures[at].setResource(static_cast<std::uint16_t>(resource));
      figures[at++].setAmount(amount);
    }
  }
  builder.setProblem(toText(usage.problem));
}

ResourceUsage read(schema::ResourceUsage::Reader reader) {
  ResourceUsage usage;
  for (auto item : reader.getKernels()) {
    auto& kernel = usage.kernels.emplace_back();
    kernel.kernel = text(item.getKernel());
    for (auto figure : item.getFigures()) {
      if (auto resource = resourceFromNumber(figure.getResource())) {
        kernel.figures[*resource] = figure.getAmount();
      }
    }
  }
  usage.problem = text(reader.getProblem());
  return usage;
}

void write(schema::FileAnswer::Builder builder, const FileAnswer& answer) {
  builder.setIdentity(answer.identity);
  builder.setSize(answer.size);
  switch (answer.kind) {
    case FileAnswer::Kind::absent:
      return builder.setAbsent(toText(answer.text));
    case FileAnswer::Kind::file:
      return builder.setFile(toData(answer.text));
    case FileAnswer::Kind::directory:
      return builder.setDirectory();
    case FileAnswer::Kind::other:
      return builder.setOther(toText(answer.text));
    case FileAnswer::Kind::denied:
      return builder.setDenied(toText(answer.text));
    case FileAnswer::Kind::failed: {
      auto error = builder.initFailed();
      error.setNumber(answer.error);
      return error.setMessage(toText(answer.text));
    }
    case FileAnswer::Kind::listing:
      return writeTexts(builder.initListing(answer.names.size()), answer.names);
    case FileAnswer::Kind::text:
      return builder.setText(toText(answer.text));
  }
}

FileAnswer read(schema::FileAnswer::Reader reader) {
  using Kind = FileAnswer::Kind;
  FileAnswer answer{Kind::failed, reader.getIdentity(), reader.getSize()};
  auto set = [&](Kind kind, std::string_view value) {
    answer.kind = kind;
    answer.text = value;
  };
  switch (reader.which()) {
    case schema::FileAnswer::ABSENT:
      set(Kind::absent, text(reader.getAbsent()));
      return answer;
    case schema::FileAnswer::FILE:
      set(Kind::file, text(reader.getFile()));
      answer.size = answer.text.size();
      return answer;
    case schema::FileAnswer::DIRECTORY:
      answer.kind = Kind::directory;
      return answer;
    case schema::FileAnswer::OTHER:
      set(Kind::other, text(reader.getOther()));
      return answer;
    case schema::FileAnswer::DENIED:
      set(Kind::denied, text(reader.getDenied()));
      return answer;
    case schema::FileAnswer::FAILED:
      set(Kind::failed, text(reader.getFailed().getMessage()));
      answer.error = reader.getFailed().getNumber();
      return answer;
    case schema::FileAnswer::LISTING:
      answer.kind = Kind::listing;
      answer.names = readTexts(reader.getListing());
      return answer;
    case schema::FileAnswer::TEXT:
      set(Kind::text, text(reader.getText()));
      return answer;
  }
  answer.text = "the client answered in a way that this version of kiln does not know";
  return answer;
}

void write(capnp::List<schema::AheadAnswer>::Builder builder, const std::vector<AheadAnswer>& answers) {
  for (unsigned i = 0; i < answers.size(); ++i) {
    builder[i].setPath(toText(answers[i].path));
    write(builder[i].initAnswer(), answers[i].answer);
  }
}

std::vector<AheadAnswer> read(capnp::List<schema::AheadAnswer>::Reader reader) {
  std::vector<AheadAnswer> answers;
  answers.reserve(reader.size());
  for (auto item : reader) {
    switch (item.getAnswer().which()) {
      case schema::FileAnswer::ABSENT:
      case schema::FileAnswer::FILE:
      case schema::FileAnswer::DIRECTORY:
      case schema::FileAnswer::OTHER:
        answers.push_back({std::string(text(item.getPath())), read(item.getAnswer())});
        break;
      default:
        break;
    }
  }
  return answers;
}

void write(capnp::List<schema::KnownContent>::Builder builder, const std::vector<KnownContent>& digests) {
  for (unsigned i = 0; i < digests.size(); ++i) {
    const auto& stamp = digests[i].stamp;
    builder[i].setDevice(stamp.device);
    builder[i].setInode(stamp.inode);
    builder[i].setSize(stamp.size);
    builder[i].setModified(stamp.modified);
    builder[i].setChanged(stamp.changed);
    builder[i].setXxh3(toData(digests[i].xxh3.view()));
  }
}

std::vector<KnownContent> read(capnp::List<schema::KnownContent>::Reader reader) {
  std::vector<KnownContent> digests;
  digests.reserve(reader.size());
  for (auto item : reader) {
    auto xxh3 = Hash128::fromBytes(bytes(item.getXxh3()));
    if (!xxh3) continue;
    ContentStamp stamp{item.getDevice(), item.getInode(), item.getSize(), item.getModified(),
                       item.getChanged()};
    digests.push_back({stamp, *xxh3});
  }
  return digests;
}

void write(schema::Toolchain::Builder builder, const Toolchain& toolchain) {
  builder.setName(toText(toolchain.name));
  builder.setFrontend(toText(toolchain.frontend));
  builder.setVersion(toText(toolchain.version));
  builder.setLibrary(toText(toolchain.library));
  builder.setLanguage(static_cast<std::uint16_t>(toolchain.language));
  writeDigest([&](auto data) { builder.setIdentity(data); }, toolchain.identity);
  writeTexts(builder.initTargets(toolchain.targets.size()), toolchain.targets);
  builder.setProblem(toText(toolchain.problem));
}

Read<Toolchain> read(schema::Toolchain::Reader reader) {
  Toolchain toolchain;
  toolchain.name = text(reader.getName());
  toolchain.frontend = text(reader.getFrontend());
  toolchain.version = text(reader.getVersion());
  toolchain.library = text(reader.getLibrary());
  toolchain.language = languageFromNumber(reader.getLanguage()).value_or(Language::cuda);
  if (!readDigest(reader.getIdentity(), toolchain.identity)) {
    return invalid("the identity of toolchain '" + toolchain.name + "' has the wrong size");
  }
  toolchain.targets = readTexts(reader.getTargets());
  toolchain.problem = text(reader.getProblem());
  return toolchain;
}

}  // namespace kiln::convert
