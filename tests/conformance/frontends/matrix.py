"""The matrix of subjects by cases: which cells there are, which are empty and why, and what came of the rest."""

import dataclasses
import importlib
import pathlib
import tomllib

import pytest

FOLDER = pathlib.Path(__file__).parent


def case(title, *needs):
    """Marks a test, which is given a `subject`, as one of the case `title`; subjects without what it `needs` (fields of
    Subject) are left out."""
    return pytest.mark.case(title, *needs)


@dataclasses.dataclass(frozen=True)
class EmptyCell:
    subject: str
    case: str
    reason: str

    def covers(self, subject, title):
        return self.case == title and self.subject in (subject.frontend, str(subject))


def read_empty_cells():
    listed = tomllib.loads((FOLDER / "empty_cells.toml").read_text())["empty"]
    return [EmptyCell(**cell) for cell in listed]


def find_cases():
    """Every case, in order of the tests, and what its tests need: a set for each."""
    cases = {}
    for path in sorted(FOLDER.glob("*_test.py")):
        for function in vars(importlib.import_module(path.stem)).values():
            for mark in getattr(function, "pytestmark", []):
                if mark.name == "case":
                    cases.setdefault(mark.args[0], []).append(mark.args[1:])
    return cases


def is_empty(subject, needs_of_tests):
    return not any(subject.has(needs) for needs in needs_of_tests)


def problems(subjects, cases, listed):
    """What is wrong with the list of empty cells, a line each."""
    found = []
    for subject in subjects:
        for title, needs in cases.items():
            reasons = [cell for cell in listed if cell.covers(subject, title)]
            if is_empty(subject, needs) and not reasons:
                found.append(f"the cell of {subject} and '{title}' is empty and not listed")
            if not is_empty(subject, needs) and reasons:
                found.append(f"the cell of {subject} and '{title}' is listed and not empty")
            if len(reasons) > 1:
                found.append(f"the cell of {subject} and '{title}' is listed more than once")
    for cell in listed:
        if cell.case not in cases:
            found.append(f"'{cell.case}', listed for {cell.subject}, is no case")
        if not any(cell.subject in (subject.frontend, str(subject)) for subject in subjects):
            found.append(f"'{cell.subject}', listed for '{cell.case}', is no subject")
        if not cell.reason.strip():
            found.append(f"the cell of {cell.subject} and '{cell.case}' is listed without a reason")
    return found


class Matrix:
    """What came of the tests of each cell."""

    WORSE = ("passed", "empty", "FAILED")  # of several tests in one cell the worst counts

    def __init__(self, subjects):
        self.subjects = subjects
        self.cells = {}

    def add(self, subject, title, result):
        before = self.cells.get((str(subject), title), result)
        self.cells[str(subject), title] = max(before, result, key=self.WORSE.index)

    def lines(self):
        """The table: a line of words above each column, a line for each subject, "-" where nothing ran."""
        titles = sorted({title for _, title in self.cells})
        rows = [[str(subject)] + [self.cells.get((str(subject), title), "-") for title in titles]
                for subject in self.subjects]
        height = max((len(title.split()) for title in titles), default=0)
        words = [[""] * height] + [[""] * (height - len(title.split())) + title.split() for title in titles]
        table = [list(line) for line in zip(*words)] + rows
        widths = [max(map(len, column)) for column in zip(*table)]
        return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in table]
