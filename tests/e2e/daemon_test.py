"""kilnd as a service: its configuration, its sockets and domains, systemd, the end in order."""

import os
import pathlib
import select
import signal
import socket
import stat
import subprocess

from harness import DEADLINE, ROOT, Exits, Kiln, children, compiling, cuda_includes, environment, wait_for
from kernels import BLOCK_REDUCE, SAXPY

CUB_ARGUMENTS = [argument for directory in cuda_includes() for argument in ("-I", directory)]


def kilnd(bin, *arguments, **settings):
    """What came of a kilnd that ends by itself."""
    return subprocess.run(
        [bin / "kilnd", *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE, env=environment(), **settings
    )


def start_hanging_compile(kiln, work):
    """The client of a compile that is under way and never ends; its daemon has toolchain 13.99."""
    (work / "k.cu").write_text("misbehave: hang\n")
    asking = kiln.start("--json", "compile", "k.cu", "--target", "sm_90")
    wait_for(lambda: compiling(kiln))
    return asking


def test_the_example_configuration_is_a_valid_one(bin):
    result = kilnd(bin, "--config", ROOT / "deploy/kilnd.toml", "--check-config")
    assert result.returncode == 0, result.stderr
    assert "/run/kiln/kilnd.sock" in result.stdout


def test_a_wrong_key_in_the_configuration_is_named_with_its_line(bin, folder):
    config = folder / "kilnd.toml"
    config.write_text('store = "/tmp"\nstor = 3\n')
    result = kilnd(bin, "--config", config, "--check-config")
    assert result.returncode == 1
    assert "'stor'" in result.stderr and "2" in result.stderr


def test_a_place_without_a_toolchain_is_warned_of_at_the_start_and_by_check_config(bin, make_daemon, folder):
    daemon = make_daemon(toolchains=("13.0", folder / "gone"))
    warning = f"toolchains.paths names '{folder / 'gone'}', which does not exist"
    checked = kilnd(bin, "--config", daemon.folder / "kilnd.toml", "--check-config")
    assert checked.returncode == 0
    assert checked.stderr == f"kilnd: warning: {warning}\n"
    daemon.start()
    (line,) = [line for line in daemon.log_text().splitlines() if "toolchains.paths" in line]
    assert warning in line and "warning" in line


def test_what_is_wrong_with_a_command_line_is_said_with_the_help_to_turn_to(bin):
    result = kilnd(bin, "--stoer", "/tmp")
    assert result.returncode == 1
    assert result.stderr.startswith("kilnd: ") and "--stoer" in result.stderr
    assert result.stderr.endswith("\nSee kilnd --help.\n")


def test_a_store_that_another_kilnd_holds_is_a_clear_error(bin, daemon, folder):
    result = kilnd(bin, "--store", daemon.store, "--socket", folder / "second.sock")
    assert result.returncode == 1
    assert str(daemon.store) in result.stderr
    assert "holds" in result.stderr
    assert not (folder / "second.sock").exists()


def test_a_socket_that_another_kilnd_answers_on_is_not_taken_from_it(bin, daemon, kiln, folder):
    result = kilnd(bin, "--store", folder / "second", "--socket", daemon.socket)
    assert result.returncode == 1
    assert str(daemon.socket) in result.stderr
    assert kiln.json("status")["process"] == daemon.process_id


def test_each_listener_has_its_mode_and_its_domain_and_domains_share_nothing(bin, make_daemon, work, folder):
    other = folder / "other.sock"
    # The harness's own table follows; TOML takes arrays of tables in any number.
    daemon = make_daemon(config=f'[[listen]]\npath = "{other}"\nmode = "0666"\ndomain = "other"')
    daemon.start()
    (work / "k.cu").write_text(SAXPY)
    ours, theirs = Kiln(bin, daemon.socket, work), Kiln(bin, other, work)
    assert ours.compile("k.cu")["outcome"] == "miss"
    assert theirs.compile("k.cu")["outcome"] == "miss"
    assert ours.compile("k.cu")["outcome"] == "hit"
    assert len(theirs.json("ls")["entries"]) == 1
    assert theirs.json("status")["domain"] == "other"
    assert stat.S_IMODE(os.stat(other).st_mode) == 0o666
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o600


def test_sigterm_lets_running_compiles_finish(kiln, daemon, work):
    (work / "k.cu").write_text(BLOCK_REDUCE)
    process = kiln.start("--json", "compile", "k.cu", "--target", "sm_90", *CUB_ARGUMENTS, "-o", "k.cubin")
    while kiln.json("status")["running"] == 0:
        assert process.poll() is None
    daemon.stop()
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (stdout, stderr)
    assert (work / "k.cubin").read_bytes()[:4] == b"\x7fELF"
    daemon.start()
    assert kiln.compile("k.cu", *CUB_ARGUMENTS)["outcome"] == "hit"


def test_all_compiler_processes_die_with_a_kilnd_that_is_killed(kiln, daemon, work):
    (work / "k.cu").write_text(BLOCK_REDUCE)
    process = kiln.start("compile", "k.cu", "--target", "sm_90", *CUB_ARGUMENTS)
    while not any(c["role"] == "compile" for c in kiln.json("status")["compilers"]):
        assert process.poll() is None
    # kill() returns when every process that had kilnd for a parent has ended: zygotes and children.
    assert len(children(daemon.process_id)) >= 2
    daemon.kill()
    process.communicate(timeout=DEADLINE)
    assert not list(daemon.scratch.iterdir())


def test_systemd_may_open_the_socket_and_start_kilnd_with_the_first_client(bin, make_daemon, work, folder):
    daemon = make_daemon()  # never started by the harness: its configuration alone is used
    (work / "k.cu").write_text(SAXPY)
    activated = folder / "activated.sock"
    config = (daemon.folder / "kilnd.toml").read_text().replace(str(daemon.socket), str(activated))
    (daemon.folder / "kilnd.toml").write_text(config)
    notify_path = folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(notify_path))
        # It prints "Listening on" before it waits, so that a client finds the socket.
        activator = subprocess.Popen(
            ["systemd-socket-activate", f"--listen={activated}", f"--setenv=NOTIFY_SOCKET={notify_path}",
             bin / "kilnd", "--config", daemon.folder / "kilnd.toml"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
        )
        try:
            first_line = activator.stderr.readline()
            assert b"Listening on" in first_line, first_line
            reply = Kiln(bin, activated, work).compile("k.cu")
            assert reply["outcome"] == "miss"
            ready, _, _ = select.select([notify], [], [], DEADLINE)
            assert ready and b"READY=1" in notify.recv(4096)
            exits = Exits(children(activator.pid))
            activator.send_signal(signal.SIGTERM)
            rest = activator.communicate(timeout=DEADLINE)[1]
            assert activator.returncode == 0, rest
            exits.wait()
        finally:
            if activator.poll() is None:
                activator.kill()
                activator.wait()
    assert pathlib.Path(activated).exists(), "the socket belongs to systemd and stays"


def test_two_clients_that_see_one_header_differently_each_get_their_own(kiln, reference, work):
    source = '#include "v.h"\nextern "C" __global__ void k(float* x) { x[threadIdx.x] *= V; }\n'
    places = {}
    for value in ("2", "3"):
        places[value] = work / f"tree{value}"
        places[value].mkdir()
        (places[value] / "k.cu").write_text(source)
        (places[value] / "v.h").write_text(f"#define V {value}.0f\n" + "// padding\n" * 20_000)
    running = {
        value: [
            kiln.start("--json", "compile", "k.cu", "--target", "sm_90", "-o", f"{n}.cubin", cwd=place)
            for n in range(3)
        ]
        for value, place in places.items()
    }
    for processes in running.values():
        for process in processes:
            stdout, stderr = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0, (stdout, stderr)
    reference.folder = work
    for value, place in places.items():
        (work / "k.cu").write_text(source)
        (work / "v.h").write_text((place / "v.h").read_text())
        expected = reference.compile("13.0", "k.cu", ["-arch=sm_90"]).outputs["cubin"]
        for n in range(3):
            assert (place / f"{n}.cubin").read_bytes() == expected


def test_a_compile_that_runs_beyond_the_shutdown_limit_is_killed_and_the_end_is_in_order(bin, make_daemon, work):
    daemon = make_daemon(toolchains=("13.99",), config="shutdown_timeout_seconds = 1")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    asking = start_hanging_compile(kiln, work)
    daemon.stop()  # checks that nothing is left
    assert asking.wait(DEADLINE) in (3, 5)
    assert "they are killed" in daemon.log_text()


def test_a_second_signal_ends_the_daemon_at_once(bin, make_daemon, work):
    daemon = make_daemon(toolchains=("13.99",), config="shutdown_timeout_seconds = 600")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    asking = start_hanging_compile(kiln, work)
    exits = Exits(children(daemon.process_id))
    daemon.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "stopping" in daemon.log_text())
    daemon.process.send_signal(signal.SIGTERM)
    daemon.wait_until_ended(exits)
    assert asking.wait(DEADLINE) in (3, 5)


def test_each_line_of_the_log_names_the_request_and_who_asked(kiln, daemon, work):
    (work / "fine.cu").write_text(SAXPY)
    (work / "wrong.cu").write_text("this is no CUDA\n")
    for _ in range(2):
        kiln.compile("fine.cu")
    kiln.compile("wrong.cu", status=1)
    key = kiln.json("ls")["entries"]  # what is asked last is answered after the lines about all before it
    lines = daemon.log_text().splitlines()
    (miss,) = [line for line in lines if " miss: 'fine.cu' for sm_90 with nvrtc 13.0: artifact" in line]
    (hit,) = [line for line in lines if " hit: 'fine.cu'" in line]
    (error,) = [line for line in lines if " miss: 'wrong.cu' for sm_90 with nvrtc 13.0: compile_error" in line]
    assert all(any(entry["key"] in line for entry in key) for line in (miss, hit, error))
    assert all("[client " in line and "domain default]" in line for line in (miss, hit, error))


def test_a_large_output_comes_by_descriptor_and_is_the_compiler_s(kiln, reference, work):
    table = f"__device__ unsigned table[100000] = {{1{', 2' * 99999}}};\n"
    (work / "large.cu").write_text(table + 'extern "C" __global__ void k(unsigned* x) { *x = table[*x]; }\n')
    expected = reference.compile("13.0", "large.cu", ["-arch=sm_90"]).outputs["cubin"]
    assert len(expected) > 400_000
    for outcome in ("miss", "hit", "hit"):
        reply = kiln.compile("large.cu", "-o", f"{outcome}.cubin")
        assert reply["outcome"] == outcome
        assert (work / f"{outcome}.cubin").read_bytes() == expected


def test_what_is_interactive_is_compiled_before_what_came_earlier(bin, make_daemon, work):
    daemon = make_daemon(toolchains=("13.99",), config="jobs = 1")
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)

    def ask(name, text, *arguments):
        (work / name).write_text(text)
        return kiln.start("--json", "compile", name, "--target", "sm_90", *arguments)

    first = ask("first.cu", "misbehave: hang\n")
    wait_for(lambda: compiling(kiln))
    waiting = []
    for name, priority in (("background.cu", "background"), ("normal.cu", "normal"), ("urgent.cu", "interactive")):
        # Each ends by its own time limit: what is stored may overtake what was compiled earlier.
        text = "call time -\n" * len(waiting) + "misbehave: spin\n"
        waiting.append(ask(name, text, "--timeout", "0.3", "--priority", priority))
        wait_for(lambda: kiln.json("status")["queued"] == len(waiting))
    first.kill()
    for process in (first, *waiting):
        process.communicate(timeout=DEADLINE)
    lines = [line for line in daemon.log_text().splitlines() if " miss: " in line]
    assert [line.split("'")[1] for line in lines] == ["urgent.cu", "normal.cu", "background.cu"]
