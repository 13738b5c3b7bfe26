"""Asks for a sample, through kiln and by calling the library without it."""

import dataclasses
import os

from harness import Kiln


@dataclasses.dataclass
class Answer:
    """What `kiln compile --json` printed, and the files that it wrote."""

    reply: dict
    outputs: dict  # kind to bytes

    @property
    def outcome(self):
        return self.reply["outcome"]

    @property
    def key(self):
        return self.reply["key"]

    def assert_is(self, outcome, expected):
        """Holds it against the library's own result."""
        assert (self.outcome, self.outputs) == (outcome, expected.outputs)
        assert self.reply["log"] == expected.log.decode()
        assert {name["expression"]: name["lowered"] for name in self.reply["lowered_names"]} == expected.lowered_names
        if not expected.succeeded:
            assert (self.reply["failure"]["kind"], self.reply["outputs"]) == ("compile_error", [])


class Asker:
    """A folder from which processes ask one daemon for a subject's samples.

    Every source ends with a comment that is the `label`, so that no other test has asked for it."""

    def __init__(self, bin, daemon, subject, folder, source, label):
        self.subject = subject
        self.folder = folder
        self.source = source
        self.label = label
        self.toolchain = subject.toolchain
        self.kiln = Kiln(bin, daemon.socket, folder)
        self.kiln.environment |= {"TMPDIR": "/nowhere"}  # the tests' own folders are below /tmp

    def lay_out(self, kernel):
        """Writes the sample's files. Their times are 0: line tables hold times."""
        files = {**kernel.files, self.source: f"{kernel.source}{self.subject.comment} {self.label}\n"}
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            os.utime(path, (0, 0))

    def arguments(self, kernel, *more, target=None):
        """What `kiln compile` is to be told for a sample that is laid out."""
        arguments = [self.source, "--target", target or self.subject.targets[0], "--toolchain", self.toolchain, *more]
        for directory in kernel.include_directories():
            arguments += ["-I", directory]
        for number, (name, content) in enumerate(kernel.headers.items()):
            path = self.folder.parent / f"header{number}"
            path.write_text(content)
            arguments += ["--header", f"{name}={path}"]
        for expression in kernel.name_expressions:
            arguments += ["--name-expression", expression]
        return [*arguments, "--", *kernel.options]

    def ask(self, kernel, *more, target=None, status=None):
        """Asks kiln from a process of its own, which ends with `status`."""
        self.lay_out(kernel)
        places = {kind: self.folder.parent / f"written.{kind}" for kind in kernel.outputs}
        for path in places.values():
            path.unlink(missing_ok=True)
        written = [argument for kind, path in places.items() for argument in ("--output", f"{kind}={path}")]
        status = (0 if kernel.compiles else 1) if status is None else status
        arguments = self.arguments(kernel, *written, *more, target=target)
        reply = self.kiln.json("compile", *arguments, status=status)
        return Answer(reply, {kind: path.read_bytes() for kind, path in places.items() if path.exists()})

    def start(self, kernel, *more):
        """A process that asks for a sample that is laid out; it prints JSON."""
        return self.kiln.start("--json", "compile", *self.arguments(kernel, *more))

    def call_directly(self, kernel, target=None):
        """What the library gives: a ReferenceResult."""
        self.lay_out(kernel)
        target = target or self.subject.targets[0]
        return self.subject.call_directly(self.subject, self.folder, self.source, kernel, target)
