"""A kilnd of its own for each script here, and the harness of tests/e2e that all of them use."""

import contextlib
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import harness  # noqa: E402

for name, value in harness.default_environment().items():
    os.environ.setdefault(name, value)

KERNELS = [ROOT / "examples/kernels/saxpy.cu", ROOT / "examples/kernels/block_reduce.cu"]


@contextlib.contextmanager
def running(place=None, toolchains=("13.0",)):
    """A daemon with NVRTC 13.0, or what is given, and an empty store, and a folder to work in, below `place`; both are
    gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kiln-bench-", dir=place) as place:
        store, work = pathlib.Path(place, "node"), pathlib.Path(place, "work")
        store.mkdir()
        work.mkdir()
        daemon = harness.Daemon(pathlib.Path(os.environ["KILN_TEST_BIN_DIR"]), store, toolchains=toolchains)
        daemon.start()
        try:
            yield daemon, work
        finally:
            daemon.end()
