"""What end-to-end tests are given: the real programs, a running kilnd, and NVRTC without kiln to compare with."""

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile

import pytest

import harness

# Who is started in the background of a script ignores these, and so would every program that is started here.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, usual)

# Modules of tests read these when they are loaded.
for name, value in harness.default_environment().items():
    os.environ.setdefault(name, value)
# The tests' own toolchain, which does what its source says, lies beside the reference.
os.environ.setdefault(
    "KILN_TEST_NVRTC_13_99", str(pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_nvrtc")
)


@pytest.fixture(scope="session")
def bin():
    """The folder of the built programs."""
    folder = pathlib.Path(os.environ["KILN_TEST_BIN_DIR"])
    for program in ("kiln", "kilnd", "kiln-compiler"):
        assert (folder / program).exists(), f"{folder} holds no {program}; build it or set KILN_TEST_BIN_DIR"
    return folder


@pytest.fixture
def folder():
    """A new, empty folder whose path is short enough for a socket in it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="kiln-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make_daemon(bin, folder):
    """Makes daemons that are not started yet; each ends with the test, and leaves nothing behind."""
    daemons = []

    def make(name="node", programs=bin, **settings):
        (folder / name).mkdir()
        daemons.append(harness.Daemon(programs, folder / name, **settings))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.end()


@pytest.fixture(scope="session")
def shared_daemon(bin):
    """Gives the running kilnd with some toolchains that tests share: those that do not mind what it has compiled."""
    daemons = {}

    def get(*toolchains):
        if toolchains not in daemons:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-"))
            at_end.callback(shutil.rmtree, folder)
            daemon = harness.Daemon(bin, folder, toolchains=toolchains)
            at_end.callback(daemon.end)
            daemon.start()
            daemons[toolchains] = daemon
        return daemons[toolchains]

    with contextlib.ExitStack() as at_end:
        yield get


@pytest.fixture
def daemon(make_daemon, request):
    """A kilnd with an empty store, NVRTC 13.0 or the toolchains that the test is marked with, and one socket."""
    marker = request.node.get_closest_marker("toolchains")
    daemon = make_daemon(toolchains=marker.args) if marker else make_daemon()
    daemon.start()
    return daemon


@pytest.fixture
def work(folder):
    """The folder in which a test's clients run."""
    path = folder / "work"
    path.mkdir()
    return path


@pytest.fixture
def kiln(bin, daemon, work):
    """The command line, talking to `daemon` from `work`."""
    return harness.Kiln(bin, daemon.socket, work)


@pytest.fixture
def reference(work):
    """NVRTC by a program that holds no code of kiln's, run in `work`."""
    return harness.Reference(work)


@pytest.fixture
def prefix(folder):
    """kiln, installed below a folder of its own."""
    build = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent.parent
    if "KILN_SANITIZE:STRING=\n" not in (build / "CMakeCache.txt").read_text():
        pytest.skip("a program without sanitizers cannot load a library that has them")
    harness.run("cmake", "--install", build, "--prefix", folder / "installed")
    return folder / "installed"
