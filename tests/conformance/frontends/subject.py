"""What the suite knows of a frontend with one version of its library, and nothing else: the cases ask a subject.

Each module of subjects/ makes the SUBJECTS of one frontend. What is None a frontend has not: the cases that need it are
empty for it, for a reason that empty_cells.toml gives.
"""

import dataclasses
import importlib
import os
import pathlib
from collections.abc import Callable

from kernels import Kernel

# What every header of a sample holds, and what it is changed to.
HEADER = "#define V 1\n"
CHANGED_HEADER = "#define V 2\n"


@dataclasses.dataclass(frozen=True)
class Subject:
    frontend: str
    version: str
    library: pathlib.Path  # as kilnd's configuration names it
    # The stand-in that does what its source says (tests/support/misbehaviour.h): one for all versions, itself of 13.99.
    misbehaving: pathlib.Path
    # (subject, folder, source, kernel, target): what the library gives, called in that folder without any of kiln's
    # code for the source of that name.
    call_directly: Callable

    language: str
    other_language: str  # one in which `plain` for the same target is another request
    extension: str
    comment: str  # how a comment begins that the end of the line ends
    output: str  # what the library makes for a target, unless asked for something else
    other_output: str  # another kind, or one that it refuses beside that
    targets: tuple  # of one source these give different bytes, of which the first serves all cases
    unknown_targets: tuple  # what it refuses
    refused_option: str  # what cannot be keyed
    byte_changing_option: str  # of `plain` it changes the output
    slow: Callable  # a source of that many kernels, which take a tenth to half a second each
    refused_fields: frozenset = frozenset()  # of schema.Request: a change of them is refused

    # Samples. `kernels` are compared with the library; each name below it is one of them or another.
    kernels: tuple = ()
    plain: Kernel = None
    variant: Kernel = None  # other bytes than `plain`
    warned: Kernel = None  # compiles, with a log
    broken: Kernel = None  # does not compile, with a log
    with_header: Kernel = None  # includes <v.h> of include directories "early" and "late": HEADER, in "late"
    with_header_in_memory: Kernel = None  # the same, named v.h
    with_expressions: Kernel = None  # several name expressions
    # (the folder it is in): its output holds the name of its source, or of a directory.
    with_own_name: Callable = None
    with_clock: Kernel = None  # its output holds the time of the compile

    aspect: str = ""  # what tells it from another of the same toolchain: "host"

    @property
    def toolchain(self):
        return f"{self.frontend} {self.version}"

    def __str__(self):
        return f"{self.toolchain}, {self.aspect}" if self.aspect else self.toolchain

    @property
    def source(self):
        """What a source is called where its name is no matter."""
        return f"k.{self.extension}"

    def has(self, needs):
        return all(getattr(self, need) is not None for need in needs)


def stand_in(path):
    """A library of tests/support, as it is built beside the reference."""
    return pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / path


def find_subjects():
    """All subjects, in order of their modules' names."""
    modules = sorted(path.stem for path in (pathlib.Path(__file__).parent / "subjects").glob("*.py"))
    return [subject for name in modules for subject in importlib.import_module(f"subjects.{name}").SUBJECTS]
