"""The list of empty cells says why each is empty, and of no other cell; and the matrix shows what came of the rest."""

import pytest

from matrix import EmptyCell, Matrix, find_cases, problems, read_empty_cells
from subject import find_subjects

SUBJECTS = find_subjects()
NVJITLINK = next(subject for subject in SUBJECTS if subject.frontend == "nvjitlink")
CASES = {"plain things": [("plain",)], "headers": [("with_header",)]}
LISTED = EmptyCell("nvjitlink", "headers", "PTX includes no files")


def test_each_empty_cell_is_listed_with_its_reason_and_no_other():
    assert problems(SUBJECTS, find_cases(), read_empty_cells()) == []


@pytest.mark.parametrize(
    "listed,said",
    [
        ([], "empty and not listed"),
        ([LISTED, EmptyCell("nvjitlink", "plain things", "why not")], "listed and not empty"),
        ([LISTED, EmptyCell(str(NVJITLINK), "headers", "once more")], "listed more than once"),
        ([LISTED, EmptyCell("nvjitlink", "no thing", "why not")], "'no thing', listed for nvjitlink, is no case"),
        ([LISTED, EmptyCell("nobody", "headers", "why not")], "'nobody', listed for 'headers', is no subject"),
        ([EmptyCell("nvjitlink", "headers", " ")], "without a reason"),
    ],
)
def test_what_is_wrong_with_the_list_is_said(listed, said):
    assert problems([NVJITLINK], CASES, [LISTED]) == []
    (problem,) = problems([NVJITLINK], CASES, listed)
    assert said in problem


def test_a_cell_shows_the_worst_of_its_tests():
    matrix = Matrix([NVJITLINK])
    for title, results in {
        "one failed": ("passed", "FAILED", "passed"),
        "all passed": ("passed", "passed"),
        "none": ("empty",),
    }.items():
        for result in results:
            matrix.add(NVJITLINK, title, result)
    assert [line.split() for line in matrix.lines()] == [
        ["all", "one"],
        ["passed", "none", "failed"],
        ["nvjitlink", NVJITLINK.version, "passed", "empty", "FAILED"],
    ]
