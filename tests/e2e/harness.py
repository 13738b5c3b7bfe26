"""Drives the real programs: kilnd, kiln, and the reference that calls NVRTC directly.

Nothing here sleeps. Readiness comes through NOTIFY_SOCKET, ends of processes through pidfds.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE = 120  # seconds that nothing here comes near unless something hangs
SANITIZER_REPORT = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer")


# For programs whose crashes are their own, and no finding of the sanitizer's.
OWN_CRASHES = {"ASAN_OPTIONS": "handle_segv=0:handle_sigill=1"}


def default_environment():
    """Where things are unless the environment says so (scripts/test does)."""
    return {
        "KILN_TEST_BIN_DIR": str(ROOT / "build/bin"),
        "KILN_TEST_REFERENCE": str(ROOT / "build/release/tests/nvrtc_direct"),
        "KILN_TEST_NVRTC_13_0": "/usr/local/cuda/lib64",
        "KILN_TEST_NVRTC_12_9": str(ROOT / "build/deps/nvrtc-12.9/nvidia/cuda_nvrtc/lib"),
        "KILN_TEST_NVJITLINK_13_0": "/usr/local/cuda/lib64/libnvJitLink.so.13",
        "KILN_TEST_NVJITLINK_12_9": str(ROOT / "build/deps/nvjitlink-12.9/nvidia/nvjitlink/lib/libnvJitLink.so.12"),
        "KILN_TEST_HIPRTC": "/usr/lib/x86_64-linux-gnu/libamdhip64.so.5",
        "KILN_TEST_LIBDEVICE": "/usr/local/cuda/nvvm/libdevice/libdevice.10.bc",
        "KILN_TEST_CUOBJDUMP": str(ROOT / "build/deps/cuobjdump/nvidia/cu13/bin/cuobjdump"),
        "KILN_TEST_NVDISASM": str(ROOT / "build/deps/nvdisasm/nvidia/cu13/bin/nvdisasm"),
        "KILN_TEST_CUDA_INCLUDES": "/usr/local/cuda/include/cccl:/usr/local/cuda/include",
        "KILN_TEST_CAPNP_IMPORTS": str(ROOT / "build/deps/capnproto/include"),
        "ASAN_OPTIONS": "handle_sigill=1",  # of undefined behaviour
    }


def nvrtc_folder(version):
    return pathlib.Path(os.environ["KILN_TEST_NVRTC_" + version.replace(".", "_")])


def nvrtc_library(version):
    return nvrtc_folder(version) / f"libnvrtc.so.{version.split('.')[0]}"


def nvjitlink_library(version):
    return pathlib.Path(os.environ["KILN_TEST_NVJITLINK_" + version.replace(".", "_")])


def hiprtc_library():
    return pathlib.Path(os.environ["KILN_TEST_HIPRTC"])


def libdevice():
    return pathlib.Path(os.environ["KILN_TEST_LIBDEVICE"])


# ROCm's device libraries, as Debian has them.
ROCM_BITCODE = pathlib.Path("/usr/lib/x86_64-linux-gnu/amdgcn/bitcode")


def cuda_includes():
    """The include directories for CUB and the runtime's headers, in order."""
    return os.environ["KILN_TEST_CUDA_INCLUDES"].split(":")


def environment(**changes):
    """The tests' environment without what would lead a program to another kilnd."""
    kept = {name: value for name, value in os.environ.items() if name not in ("KILN_SOCKET", "NOTIFY_SOCKET")}
    return kept | {name: str(value) for name, value in changes.items()}


def reference_environment(version):
    """What a program that calls NVRTC directly needs: PyPI's libraries do not find their builtins by themselves."""
    return environment(CUDA_CACHE_DISABLE=1, LD_LIBRARY_PATH=nvrtc_folder(version))


def run(*command, **settings):
    """What a program printed that ended well."""
    result = subprocess.run([str(part) for part in command], capture_output=True, timeout=DEADLINE, **settings)
    assert result.returncode == 0, (command, result.stdout.decode(), result.stderr.decode())
    return result.stdout.decode()


class Exits:
    """Processes that are to end, held by pidfds so that a number used again is no matter."""

    def __init__(self, process_ids):
        self.pidfds = {}
        for process_id in process_ids:
            try:
                self.pidfds[process_id] = os.pidfd_open(process_id)
            except ProcessLookupError:
                pass

    def wait(self):
        """Returns when all have ended; fails, naming those that did not."""
        for process_id, pidfd in self.pidfds.items():
            ended, _, _ = select.select([pidfd], [], [], DEADLINE)
            os.close(pidfd)
            assert ended, f"process {process_id} is still there"


def children(process_id):
    """The processes whose parent is `process_id` now."""
    listing = pathlib.Path(f"/proc/{process_id}/task/{process_id}/children")
    return [int(number) for number in listing.read_text().split()]


def wait_for(condition):
    """Asks until there is an answer, and gives it."""
    deadline = time.monotonic() + DEADLINE
    while not (answer := condition()):
        assert time.monotonic() < deadline
    return answer


def compiling(kiln):
    """The processes that compile now."""
    return [c["process"] for c in kiln.json("status")["compilers"] if c["role"] == "compile"]


def idle_compilers(kiln):
    """The zygote and the child that it keeps for the next compile, once both are there and nothing compiles."""

    def both():
        roles = {one["role"]: one["process"] for one in kiln.json("status")["compilers"]}
        return roles if roles.keys() == {"zygote", "spare"} else None

    return wait_for(both)


def address_space(kiln):
    """What the zygote has mapped, in bytes."""
    statm = pathlib.Path(f"/proc/{idle_compilers(kiln)['zygote']}/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize()


@contextlib.contextmanager
def limited(kiln, which, soft):
    """Lowers a limit of every compile's process: the zygote's, which children inherit, and the spare child's own."""

    def set_soft(limit):
        for process in idle_compilers(kiln).values():
            resource.prlimit(process, which, (limit, resource.prlimit(process, which)[1]))

    before = resource.prlimit(idle_compilers(kiln)["zygote"], which)[0]
    set_soft(soft)
    yield
    set_soft(before)


class Daemon:
    """A kilnd with a store, a socket and a folder for scratch files of its own.

    `toolchains` are versions that the environment knows, or paths for kilnd to search."""

    def __init__(self, bin, folder, toolchains=("13.0",), config="", arguments=(), variables=None):
        self.bin = bin
        self.folder = folder
        self.socket = folder / "kilnd.sock"
        self.store = folder / "store"
        self.scratch = folder / "scratch"
        self.log = folder / "kilnd.log"
        self.arguments = list(arguments)
        self.variables = variables or {}  # of the environment, beside the tests' own
        self.process = None
        self.scratch.mkdir()
        paths = json.dumps([str(t if isinstance(t, pathlib.Path) else nvrtc_library(t)) for t in toolchains])
        # Keys first, tables behind them, as TOML wants it.
        (folder / "kilnd.toml").write_text(
            f'store = "{self.store}"\n{config}\n[[listen]]\npath = "{self.socket}"\n'
            f"[toolchains]\npaths = {paths}\nsystem = false\n"
        )

    @property
    def process_id(self):
        return self.process.pid

    def start(self):
        """Returns when kilnd says that it is ready."""
        assert self.process is None
        notify_path = self.folder / "notify.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.log, "ab") as log:
            notify.bind(str(notify_path))
            self.process = subprocess.Popen(
                [self.bin / "kilnd", "--config", self.folder / "kilnd.toml", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(NOTIFY_SOCKET=notify_path, TMPDIR=self.scratch, **self.variables),
            )
            try:
                self._wait_until_ready(notify)
            finally:
                notify_path.unlink()

    def _wait_until_ready(self, notify):
        pidfd = os.pidfd_open(self.process.pid)
        try:
            while True:
                ready, _, _ = select.select([notify, pidfd], [], [], DEADLINE)
                if notify in ready:
                    if b"READY=1" in notify.recv(4096).splitlines():
                        return
                    continue
                raise AssertionError(f"kilnd did not become ready:\n{self.log_text()}")
        finally:
            os.close(pidfd)

    def stop(self):
        """Ends it in order, by SIGTERM."""
        exits = Exits(children(self.process.pid))
        self.process.send_signal(signal.SIGTERM)
        self.wait_until_ended(exits)

    def wait_until_ended(self, exits):
        """Its end in order, however it was asked for: status 0, and nothing left."""
        status = self.process.wait(DEADLINE)
        self.process = None
        exits.wait()
        assert status == 0, f"kilnd ended with {status}:\n{self.log_text()}"
        assert not self.socket.exists(), "kilnd left its socket behind"
        self.check_traces()

    def kill(self):
        """Ends it by SIGKILL; returns when its compiler processes have ended too."""
        exits = Exits(children(self.process.pid))
        self.process.kill()
        self.process.wait(DEADLINE)
        self.process = None
        exits.wait()

    def restart(self):
        self.stop()
        self.start()

    def end(self):
        """The end of the test, whatever state it left the daemon in."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            status, self.process = self.process.returncode, None
            raise AssertionError(f"kilnd ended by itself with {status}:\n{self.log_text()}")
        try:
            self.stop()
        finally:
            if self.process is not None:
                self.kill()

    def check_traces(self):
        """No scratch file is left, and no sanitizer had anything to say."""
        assert not list(self.scratch.iterdir()), "scratch files are left behind"
        report = SANITIZER_REPORT.search(self.log_text())
        assert not report, self.log_text()

    def log_text(self):
        return self.log.read_text(errors="replace")


class Kiln:
    """The command line, run in one folder against one socket."""

    def __init__(self, bin, socket_path, folder):
        self.program = bin / "kiln"
        self.folder = folder
        self.environment = environment(KILN_SOCKET=socket_path)

    def start(self, *arguments, **settings):
        """A running kiln, its output piped."""
        settings = {"cwd": self.folder, "env": self.environment} | settings
        return subprocess.Popen(
            [self.program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings
        )

    def run(self, *arguments, input=None, **settings):
        """What came of a kiln that has ended: returncode, stdout, stderr as bytes."""
        settings = {"cwd": self.folder, "env": self.environment} | settings
        return subprocess.run(
            [self.program, *map(str, arguments)], input=input, capture_output=True, timeout=DEADLINE, **settings
        )

    def json(self, *arguments, status=0, **settings):
        """What `kiln --json` prints, once it has ended with `status`."""
        result = self.run("--json", *arguments, **settings)
        assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
        return json.loads(result.stdout)

    def compile(self, file, *arguments, target="sm_90", status=0, **settings):
        return self.json("compile", file, "--target", target, *arguments, status=status, **settings)

    def compiles(self):
        """How many compiles kilnd has run since it started."""
        return self.json("stats")["compiles"]


@dataclasses.dataclass
class ReferenceResult:
    succeeded: bool
    outputs: dict  # kind to bytes
    log: bytes
    lowered_names: dict


def linked_directly(folder, version, source, *arguments):
    """nvJitLink called directly, in one folder; `arguments` are further inputs, then options. The cubin, None if there
    is none, and the log."""
    program = ROOT / "tests/reference/nvjitlink_direct.py"
    cubin, log = folder / "direct.cubin", folder / "direct.log"
    cubin.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, program, nvjitlink_library(version), source, cubin, log, *arguments],
        cwd=folder,
        timeout=DEADLINE,
        check=False,
    )
    return cubin.read_bytes() if cubin.exists() else None, log.read_text()


class Reference:
    """NVRTC called directly, in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.program = os.environ["KILN_TEST_REFERENCE"]

    def compile(self, version, source, options, outputs=("cubin",), headers=(), name_expressions=()):
        """`source` is its name too; `headers` are pairs of a name and a path; `options` hold -arch."""
        places = self.folder.parent / "reference"
        places.mkdir(exist_ok=True)
        arguments = ["--library", nvrtc_library(version), "--log", places / "log", "--name", source]
        for kind in outputs:
            arguments += ["--output", f"{kind}={places / kind}"]
        for name, path in headers:
            arguments += ["--header", f"{name}={path}"]
        for expression in name_expressions:
            arguments += ["--name-expression", expression]
        result = subprocess.run(
            [self.program, *map(str, arguments), "--lowered-names", places / "names", source, "--", *options],
            cwd=self.folder,
            env=reference_environment(version),
            capture_output=True,
            timeout=DEADLINE,
        )
        assert result.returncode in (0, 1), result.stderr
        succeeded = result.returncode == 0
        names = (places / "names").read_text().splitlines() if succeeded and name_expressions else []
        return ReferenceResult(
            succeeded,
            {kind: (places / kind).read_bytes() for kind in outputs} if succeeded else {},
            (places / "log").read_bytes(),
            dict(line.split("\t") for line in names),
        )
