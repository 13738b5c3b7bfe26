"""libkiln is a good guest: in a process with pycapnp, after a fork, with threads, through a restart of kilnd."""

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from harness import DEADLINE, environment, nvjitlink_library

BIN = pathlib.Path(os.environ["KILN_TEST_BIN_DIR"])
LIBRARY = BIN.parent / "lib/libkiln.so"
BUILD = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parents[1]

# A plain Python cannot load a library that a sanitizer is built into.
plain_library = pytest.mark.skipif(
    "KILN_SANITIZE:STRING=\n" not in (BUILD / "CMakeCache.txt").read_text(), reason="the library has a sanitizer in it"
)

# Each script below runs in a process of its own, behind this: libkiln by ctypes.
PRELUDE = """
import ctypes, os, signal, sys, tempfile, threading

kiln = ctypes.CDLL(sys.argv[1])
for name in ("kiln_client_new", "kiln_request_new"):
    getattr(kiln, name).restype = ctypes.c_void_p
kiln.kiln_result_message.restype = ctypes.c_char_p
kiln.kiln_result_output_size.restype = ctypes.c_size_t

def new_client():
    return ctypes.c_void_p(kiln.kiln_client_new(None))

def compile(client, number):
    source = b'extern "C" __global__ void k(int* x) { *x = %d; }' % number
    request, result = ctypes.c_void_p(kiln.kiln_request_new()), ctypes.c_void_p()
    kiln.kiln_request_set_source(request, source, ctypes.c_size_t(len(source)))
    kiln.kiln_request_set_source_name(request, b"guest.cu")
    kiln.kiln_request_set_target(request, b"sm_90")
    status = kiln.kiln_compile(client, request, ctypes.byref(result))
    assert status == 0, kiln.kiln_result_message(result)
    assert kiln.kiln_result_output_size(result, 0) > 0
    kiln.kiln_result_free(result)
    kiln.kiln_request_free(request)

def load_schema():
    import capnp
    with tempfile.NamedTemporaryFile("w", suffix=".capnp") as file:
        file.write("@0xb1e0a7ca0d7e4f5a; struct S { text @0 :Text; }")
        file.flush()
        return capnp.load(file.name)

def use_pycapnp(schema):
    message = schema.S.new_message(text="x" * 1000)
    with schema.S.from_bytes(message.to_bytes()) as copy:
        assert copy.text == "x" * 1000
"""

BESIDE_PYCAPNP = """
if order == "before":
    schema = load_schema()
    use_pycapnp(schema)
client = new_client()
compile(client, 1)
if order == "after":
    schema = load_schema()
use_pycapnp(schema)
compile(client, 2)
use_pycapnp(schema)
kiln.kiln_client_free(client)
"""

FORKED = """
client = new_client()
compile(client, 1)
child = os.fork()
if child == 0:
    try:
        compile(client, 1)
        compile(client, 2)
        kiln.kiln_client_free(client)
        os._exit(0)
    except BaseException as error:
        print(error, file=sys.stderr)
        os._exit(1)
compile(client, 3)
assert os.waitpid(child, 0)[1] == 0
compile(client, 2)
kiln.kiln_client_free(client)
"""

THREADED = """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
client = new_client()
done = []
threads = [threading.Thread(target=lambda n=n: done.append(compile(client, n % 4))) for n in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(done) == 16
with open("/proc/self/status") as status:
    ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn"))
assert not ignored >> (signal.SIGPIPE - 1) & 1, "SIGPIPE is ignored"
kiln.kiln_client_free(client)
"""

RESTARTED = """
client = new_client()
compile(client, 1)
print("compiled", flush=True)
sys.stdin.readline()
compile(client, 1)
kiln.kiln_client_free(client)
"""


ORPHANING = """
client = new_client()
compile(client, 1)
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
signal.pause()
"""


PTX = """
ptx = b".version 8.0\\n.target sm_80\\n.address_size 64\\n.visible .entry k() { ret; }\\n"
client, request = new_client(), ctypes.c_void_p(kiln.kiln_request_new())
kiln.kiln_request_set_source(request, ptx, ctypes.c_size_t(len(ptx)))
assert kiln.kiln_request_set_language(request, 3) == 0
kiln.kiln_request_set_target(request, b"sm_90")
for outcome in (1, 0):
    result = ctypes.c_void_p()
    assert kiln.kiln_compile(client, request, ctypes.byref(result)) == 0, kiln.kiln_result_message(result)
    assert kiln.kiln_result_outcome(result) == outcome
    assert kiln.kiln_result_output_size(result, 0) > 0
"""


def start(script, daemon):
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, LIBRARY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(KILN_SOCKET=daemon.socket),
    )


def finish(process, input=""):
    _, errors = process.communicate(input, timeout=DEADLINE)
    assert process.returncode == 0, errors


@plain_library
@pytest.mark.parametrize("order", ["before", "after"])
def test_libkiln_lives_beside_pycapnp_in_one_process(daemon, order):
    finish(start(f"order = {order!r}\n" + BESIDE_PYCAPNP, daemon))


@plain_library
def test_ptx_text_is_one_call_of_the_library(make_daemon):
    daemon = make_daemon("ptx", toolchains=(nvjitlink_library("13.0"),))
    daemon.start()
    finish(start(PTX, daemon))


@plain_library
def test_a_client_survives_a_fork_in_parent_and_child(daemon):
    finish(start(FORKED, daemon))


@plain_library
def test_a_client_that_dies_is_gone_though_its_forked_child_lives(daemon, kiln):
    process = start(ORPHANING, daemon)
    assert process.stdout.readline() == "forked\n"
    assert kiln.json("status")["clients"] == 2
    process.kill()
    process.wait(DEADLINE)
    deadline = time.monotonic() + DEADLINE
    while kiln.json("status")["clients"] != 1:
        assert time.monotonic() < deadline
    process.stdin.close()  # and so the child ends


@plain_library
def test_threads_share_one_client_and_sigpipe_is_left_alone(daemon):
    finish(start(THREADED, daemon))


@plain_library
def test_a_client_survives_a_restart_of_the_daemon(daemon):
    process = start(RESTARTED, daemon)
    assert process.stdout.readline() == "compiled\n"
    daemon.restart()
    finish(process, "go on\n")


@plain_library
def test_libkiln_links_no_compiler_no_driver_and_no_shared_capnproto():
    dynamic = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    assert needed
    assert not [name for name in needed if re.search(r"cuda|nvrtc|hip|capnp|kj|ssl|crypto|rocksdb", name)]
