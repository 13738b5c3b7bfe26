"""Every field of the schema's Request, and what changes of it do: a table, and requests as the schema has them."""

import dataclasses
import re

from harness import ROOT
from kernels import Kernel
from scripted_client import DictionaryFiles, ask, request
from subject import CHANGED_HEADER, HEADER


def numbers_of(enumeration):
    """The names and values of an enumeration of jit/request.h, which are those of the schema; llvmIr is "llvm-ir"."""
    text = (ROOT / "jit/request.h").read_text()
    (listed,) = re.findall(rf"enum class {enumeration} [^{{]*{{([^}}]*)}}", text)
    kebab = lambda name: re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name)
    return {kebab(name): int(value) for name, value in re.findall(r"(\w+) = (\d+)", listed)}


LANGUAGES = numbers_of("Language")
OUTPUTS = numbers_of("OutputKind")
FILES = {"/virtual/one/v.h": HEADER.encode(), "/virtual/two/v.h": CHANGED_HEADER.encode()}


def request_for(subject, kernel, label, **changes):
    """A sample as a request; `changes` are fields of it. The source ends with a comment, the `label`."""
    source = changes.pop("source", kernel.source)
    fields = {
        "language": LANGUAGES[subject.language],
        "target": subject.targets[0],
        "names": names(subject),
        "headers": headers(kernel.headers),
        "options": list(kernel.options),
        "nameExpressions": list(kernel.name_expressions),
        "outputs": [OUTPUTS[kind] for kind in kernel.outputs],
    }
    return request(f"{source}{subject.comment} {label}\n".encode(), **(fields | changes))


def names(subject, **changes):
    return {"source": subject.source, "workingDirectory": "/virtual", "includeDirectories": []} | changes


def headers(contents):
    return [{"name": name, "content": content.encode()} for name, content in contents.items()]


async def ask_for(session, subject, wanted):
    """The outcome of a request, by the subject's own toolchain if that is for its language."""
    fields = dict(wanted)
    toolchain = subject.toolchain if fields["language"] == LANGUAGES[subject.language] else ""
    return await ask(session, DictionaryFiles(FILES), fields.pop("source"), toolchain=toolchain, **fields)


def bytes_of(outcome):
    """Outputs and log of an artifact; the log of a failure."""
    if outcome.which() == "failure":
        return outcome.failure.log
    return [output.inline for output in outcome.artifact.outputs], outcome.artifact.log


@dataclasses.dataclass(frozen=True)
class Change:
    """One sample before and after a change of one field."""

    kernel: Kernel
    before: dict
    after: dict
    changes_hash: bool = True
    changes_bytes: bool = True
    may_fail: bool = False  # the changed sample may be one that does not compile


def language(subject):
    yield Change(subject.plain, {}, {"language": LANGUAGES[subject.other_language]}, may_fail=True)


def target(subject):
    yield Change(subject.plain, {}, {"target": subject.targets[1]})


def source(subject):
    yield Change(subject.plain, {}, {"source": subject.variant.source})


def unbound_name(**changes):
    """A name that reaches no output: whoever asks under another one is served by the same entry."""

    def change(subject):
        yield Change(subject.plain, {}, {"names": names(subject, **changes)}, changes_hash=False, changes_bytes=False)

    return change


def include_directories(subject):
    """Their number and order are in the hash, and what is in them is a dependency."""
    kernel = subject.with_header or subject.plain
    one = {"names": names(subject, includeDirectories=["/virtual/one"])}
    two = {"names": names(subject, includeDirectories=["/virtual/two"])}
    both = {"names": names(subject, includeDirectories=["/virtual/one", "/virtual/two"])}
    yield Change(kernel, one, two, changes_hash=False)
    yield Change(kernel, one, both, changes_bytes=False)


def headers_in_memory(subject):
    kernel = subject.with_header_in_memory or subject.plain
    yield Change(kernel, {}, {"headers": headers({"v.h": CHANGED_HEADER})})


def options(subject):
    yield Change(subject.plain, {}, {"options": [subject.byte_changing_option]})


def name_expressions(subject):
    kernel = subject.with_expressions or subject.plain
    yield Change(kernel, {}, {"nameExpressions": list(kernel.name_expressions[1:]) or ["k<3>"]})


def outputs(subject):
    yield Change(subject.plain, {}, {"outputs": [OUTPUTS[subject.output], OUTPUTS[subject.other_output]]})


def timestamp(subject):
    later = {"timestamp": 400 * 24 * 3600}
    yield Change(subject.plain, {}, later, changes_bytes=False)
    if subject.with_clock:
        yield Change(subject.with_clock, {}, later)


def inputs(subject):
    """What is linked with the source: another module with a kernel of another name."""
    other = subject.plain.source.replace("scale", "other").replace("saxpy", "other")
    yield Change(subject.plain, {}, {"inputs": [other.encode()], "names": names(subject, inputs=["other"])})


def names_of_inputs(subject):
    other = subject.plain.source.replace("scale", "other").replace("saxpy", "other")
    before, after = (
        {"inputs": [other.encode()], "names": names(subject, inputs=[name])} for name in ("one", "another")
    )
    yield Change(subject.plain, before, after, changes_hash=False, changes_bytes=False)


def virtual_architecture(subject):
    """The machine code is made of PTX for it. Such a request has no entry: the hash is that of the link, and that the own
    one changes too is told in tests/unit/jit/request_hash_test.cc."""
    yield Change(subject.plain, {}, {"virtualArchitecture": "compute_75"})


# A function for each field, of which those of `names` are named so: (subject) -> Changes.
FIELDS = {
    "language": language,
    "target": target,
    "source": source,
    "names.source": unbound_name(source="another name"),
    "names.workingDirectory": unbound_name(workingDirectory="/virtual/elsewhere"),
    "names.includeDirectories": include_directories,
    "names.temporaryDirectory": unbound_name(temporaryDirectory="/virtual/temporary"),
    "headers": headers_in_memory,
    "options": options,
    "nameExpressions": name_expressions,
    "outputs": outputs,
    "timestamp": timestamp,
    "inputs": inputs,
    "names.inputs": names_of_inputs,
    "virtualArchitecture": virtual_architecture,
}
