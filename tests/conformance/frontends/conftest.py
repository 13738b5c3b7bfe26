"""What the cases are given: subjects, daemons that all of them share, and askers. Prints the matrix at the end."""

import contextlib
import itertools
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
import harness  # noqa: E402

# Modules of tests and subjects read these when they are loaded.
for name, value in harness.default_environment().items():
    os.environ.setdefault(name, value)

import matrix  # noqa: E402
from asker import Asker  # noqa: E402
from subject import find_subjects  # noqa: E402

SUBJECTS = find_subjects()
EMPTY_CELLS = matrix.read_empty_cells()
MATRIX = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "case(title, *needs): the case that a test belongs to; see matrix.py")
    config.stash[MATRIX] = matrix.Matrix(SUBJECTS)
    config.pluginmanager.register(Tally(config.stash[MATRIX]))


def pytest_generate_tests(metafunc):
    if "kernel" in metafunc.fixturenames:
        pairs = [(subject, kernel) for subject in SUBJECTS for kernel in subject.kernels]
        metafunc.parametrize("subject,kernel", pairs, ids=str)
    elif "subject" in metafunc.fixturenames:
        metafunc.parametrize("subject", SUBJECTS, ids=str)


def cell_of(item):
    """The subject, the case and its needs; None for a test that belongs to no cell."""
    subject = getattr(item, "callspec", None) and item.callspec.params.get("subject")
    if subject is None:
        return None
    mark = item.get_closest_marker("case")
    assert mark, f"{item.nodeid} is given a subject and belongs to no case: mark it with @case"
    return subject, mark.args[0], mark.args[1:]


def pytest_runtest_setup(item):
    cell = cell_of(item)
    if cell is None:
        return
    subject, title, needs = cell
    if subject.has(needs):
        return
    for listed in EMPTY_CELLS:
        if listed.covers(subject, title):
            pytest.skip(listed.reason)
    lacking = f"{subject} lacks {', '.join(needs)} for '{title}'"
    pytest.fail(f"{lacking}, and empty_cells.toml gives no reason", pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if cell := cell_of(item):
        report.cell = (str(cell[0]), cell[1])


class Tally:
    """Fills the matrix from the reports, which come from other processes where tests run in several."""

    def __init__(self, matrix):
        self.matrix = matrix

    def pytest_runtest_logreport(self, report):
        cell = getattr(report, "cell", None)
        if cell is None or (report.when != "call" and report.passed):
            return
        self.matrix.add(*cell, {"passed": "passed", "skipped": "empty", "failed": "FAILED"}[report.outcome])


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.section("frontends by cases")
    for line in config.stash[MATRIX].lines():
        terminalreporter.write_line(line)
    for cell in EMPTY_CELLS:
        terminalreporter.write_line(f"empty: {cell.subject}, {cell.case}: {cell.reason}")


@pytest.fixture(scope="session")
def bin():
    """The folder of the built programs."""
    return pathlib.Path(os.environ["KILN_TEST_BIN_DIR"])


@contextlib.contextmanager
def running(bin, **settings):
    """A kilnd with an empty store, for the whole session."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-"))
    daemon = harness.Daemon(bin, folder, **settings)
    try:
        daemon.start()
        yield daemon
        daemon.end()
    finally:
        if daemon.process is not None:
            daemon.kill()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def daemon(bin):
    """The kilnd that is asked unless a case says otherwise."""
    with running(bin, toolchains=[subject.library for subject in SUBJECTS]) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def other_daemon(bin):
    """Another, with an environment of its own."""
    variables = {"HOME": "/nowhere", "LANG": "tr_TR.UTF-8", "CPATH": "/usr/include"}
    toolchains = [subject.library for subject in SUBJECTS]
    with running(bin, toolchains=toolchains, variables=variables) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def misbehaving_daemon(bin):
    """One whose compilers are the stand-ins that misbehave, under tight limits."""
    toolchains = list(dict.fromkeys(subject.misbehaving for subject in SUBJECTS))
    config = "compile_timeout_seconds = 100\nmemory_limit_mb = 256"
    with running(bin, toolchains=toolchains, config=config, variables=harness.OWN_CRASHES) as daemon:
        yield daemon


LABELS = itertools.count()


@pytest.fixture
def label():
    """A number that no other test has."""
    return next(LABELS)


@pytest.fixture
def folder():
    """A new, empty folder."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="kiln-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make_asker(bin, daemon, subject, folder, label):
    """Makes askers, each in a folder of its own below `folder`."""

    def make(name="here", source=subject.source, asked=daemon):
        place = folder / name
        place.mkdir(parents=True)
        return Asker(bin, asked, subject, place, source, label)

    return make


@pytest.fixture
def asker(make_asker):
    return make_asker()
