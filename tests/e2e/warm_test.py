"""Bundles brought to a running kilnd: served there without a compiler, pinned, taken away again; and sockets that serve
nothing else."""

import asyncio
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import capnp
import pytest

import scripted_client
from harness import DEADLINE, ROOT, Kiln, environment, nvjitlink_library, run, wait_for
from record_build_test import record, write_application
from scripted_client import schema

TESTS = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent  # where the tests' own programs are built
CALLS = (
    ("scale.cu", "--target", "sm_90"),
    ("header.cu", "--target", "sm_90", "-I", "include"),
    ("saxpy.mlir", "--target", "host"),
    ("saxpy.mlir", "--target", "gfx942"),
)
TARGETS = ("--target", "sm_90", "--target", "sm_80", "--target", "host", "--target", "gfx942")


@pytest.fixture(scope="module")
def built(bin, shared_daemon, tmp_path_factory):
    """An application's folder with app.lock and app.kiln, which another node has recorded and built."""
    work = tmp_path_factory.mktemp("application")
    kiln = Kiln(bin, shared_daemon("13.0", bin / "kiln-compiler-mlir").socket, work)
    write_application(work)
    record(kiln, bin, "app.lock", CALLS)
    kiln.json("build", "app.lock", *TARGETS, "-o", "app.kiln")
    return work


@pytest.fixture
def work(built, folder):
    """A copy of that folder, so that roles and not places decide."""
    return pathlib.Path(shutil.copytree(built, folder / "work"))


class Node:
    """A kilnd with an open and a locked socket of one domain."""

    def __init__(self, make_daemon, bin, folder, work, toolchains=(), **settings):
        self.socket = folder / "locked.sock"
        config = f'[[listen]]\npath = "{self.socket}"\nlane = "locked"\n'
        self.daemon = make_daemon(toolchains=toolchains, config=config, **settings)
        self.open = Kiln(bin, self.daemon.socket, work)
        self.locked = Kiln(bin, self.socket, work)
        self.daemon.start()

    def bundles(self):
        return [bundle["name"] for bundle in self.open.json("warm", "--list")["bundles"]]


@pytest.fixture
def make_node(make_daemon, bin, folder, work):
    return lambda **settings: Node(make_daemon, bin, folder, work, **settings)


@pytest.fixture
def node(make_node):
    """One without any compiler."""
    return make_node()


@pytest.fixture
def alone(bin, folder, work):
    """The command line where no kilnd runs."""
    return Kiln(bin, folder / "kilnd.sock", work)


def call(kiln, *arguments, status=0):
    return kiln.json("compile", *arguments, status=status)


def refusal(kiln, *arguments):
    failure = call(kiln, *arguments, status=4)["failure"]
    assert failure["kind"] == "not_pinned", failure
    return failure["message"]


def write_many_kernels(path, kernels=3000, size=20000):
    """A bundle that takes its time to be brought anywhere."""
    run(TESTS / "many_kernels", path, kernels, size)


def blob_of(layout, descriptor):
    return layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")


def put_blob(layout, content):
    descriptor = {"digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}
    blob_of(layout, descriptor).write_bytes(content)
    return descriptor


def manifest_of(layout):
    (descriptor,) = json.loads((layout / "index.json").read_text())["manifests"]
    return json.loads(blob_of(layout, descriptor).read_text())


def write_manifest(layout, manifest):
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0] |= put_blob(layout, json.dumps(manifest).encode())
    (layout / "index.json").write_text(json.dumps(index))


def write_newer(layout):
    """Makes it one of a format that is not known yet."""
    manifest = manifest_of(layout)
    index = json.loads(blob_of(layout, manifest["config"]).read_text())
    index["version"] = 2
    manifest["config"] |= put_blob(layout, json.dumps(index).encode())
    write_manifest(layout, manifest)


def test_a_node_without_a_compiler_serves_a_warmed_bundle(node, work):
    failure = call(node.open, *CALLS[0], status=4)["failure"]
    assert failure["kind"] == "toolchain_unavailable"
    warmed = node.open.json("warm", "app.kiln")
    assert (warmed["entries"], warmed["was_there"]) == (6, False)
    for kiln in (node.open, node.locked):
        for arguments in CALLS:
            assert call(kiln, *arguments)["outcome"] == "hit"
    assert node.open.compiles() == 0
    listed = {one["name"]: one for one in node.open.json("toolchains")["toolchains"]}
    assert listed.keys() == {"nvrtc 13.0", "mlir 22.1"}
    for toolchain in listed.values():
        assert toolchain["from_bundle"] and toolchain["library"] is None and not toolchain["default"]
    text = node.open.run("toolchains").stdout.decode()
    assert "from bundle" in text


def test_what_is_served_is_what_was_compiled_and_it_runs(node, work, built, bin, shared_daemon):
    elsewhere = Kiln(bin, shared_daemon("13.0", bin / "kiln-compiler-mlir").socket, work)
    node.open.json("warm", "app.kiln")
    for number, arguments in enumerate(CALLS):
        ours, theirs = work / f"ours{number}", work / f"theirs{number}"
        call(node.locked, *arguments, "-o", ours)
        call(elsewhere, *arguments, "-o", theirs)
        assert ours.read_bytes() == theirs.read_bytes()
    called = node.locked.run(
        "run", "saxpy.mlir", "--kernel", "saxpy", "--arg", "f32=2", "--arg", "f32[4096]", "--arg", "f32[4096]"
    )
    assert called.returncode == 0, called.stderr
    assert b"hit" in called.stdout


def test_entries_are_found_by_request_dependencies_and_toolchain_alone(make_node, work):
    node = make_node(toolchains=("12.9",))
    warmed = node.open.run("warm", "app.kiln")
    assert warmed.returncode == 0
    assert b"nvrtc 13.0, which this node does not have" in warmed.stderr and b"nvrtc 12.9" in warmed.stderr
    assert call(node.open, *CALLS[0])["toolchain"] == "nvrtc 12.9"
    assert call(node.open, *CALLS[0], "--toolchain", "nvrtc 13.0")["outcome"] == "hit"
    assert call(node.locked, *CALLS[0])["toolchain"] == "nvrtc 13.0"
    (work / "include/v.h").write_text("#define V 8\n")
    failure = call(node.open, *CALLS[1], "--toolchain", "nvrtc 13.0", status=4)["failure"]
    assert failure["kind"] == "toolchain_unavailable" and "v.h changed" in failure["message"]


def test_warming_is_idempotent_and_outlives_the_daemon(make_node):
    node = make_node(toolchains=("13.0",))
    first = node.open.json("warm", "app.kiln")
    again = node.open.json("warm", "app.kiln")
    assert again == first | {"was_there": True}
    (bundle,) = node.locked.json("warm", "--list")["bundles"]
    assert (bundle["name"], bundle["digest"], bundle["entries"]) == ("app.kiln", first["digest"], 6)
    assert sorted(bundle["toolchains"]) == ["mlir 22.1", "nvrtc 13.0"]
    node.daemon.restart()
    assert call(node.locked, *CALLS[0])["outcome"] == "hit"
    assert node.open.json("warm", "app.kiln")["was_there"]


def test_the_same_bundle_as_a_directory_is_the_same(node, work):
    node.open.json("bundle", "merge", "app.kiln", "-o", "directory/")
    first = node.open.json("warm", "app.kiln")
    again = node.open.json("warm", "directory/")
    assert again == first | {"bundle": "directory/", "was_there": True}


@pytest.mark.parametrize("named_by", ["name", "digest"])
def test_a_bundle_that_is_removed_is_gone(node, named_by):
    warmed = node.open.json("warm", "app.kiln")
    assert call(node.locked, *CALLS[0])["outcome"] == "hit"
    node.open.json("warm", "--remove", "app.kiln" if named_by == "name" else warmed["digest"][:20])
    assert node.bundles() == [] and node.open.json("ls")["entries"] == []
    assert "no bundle is there" in refusal(node.locked, *CALLS[0])
    assert node.open.json("toolchains")["toolchains"] == []
    missing = node.open.run("warm", "--remove", "app.kiln")
    assert missing.returncode == 4 and b"kiln warm --list" in missing.stderr


def test_pinned_entries_stay_whatever_else_a_request_meets(make_node, work):
    node = make_node(toolchains=("13.0",))
    node.open.json("warm", "app.kiln")
    for number in range(40):
        (work / "include/v.h").write_text(f"#define V {number + 100}\n")
        assert call(node.open, *CALLS[1])["outcome"] == "miss"
    (work / "include/v.h").write_text("#define V 7\n")
    assert call(node.locked, *CALLS[1])["outcome"] == "hit"


def test_what_a_bundle_has_lost_comes_back(node):
    """Damaged entries are dropped when they are found."""
    node.open.json("warm", "app.kiln")
    node.daemon.stop()
    for path in node.daemon.store.glob("*.blob"):  # where binaries of some size are
        content = path.read_bytes()
        path.write_bytes(content.replace(b"\x7fELF", b"\x7fFLE"))
    node.daemon.start()
    lost = [number for number, arguments in enumerate(CALLS) if node.locked.run("compile", *arguments).returncode != 0]
    assert lost
    assert node.open.json("warm", "app.kiln")["was_there"] is False
    for arguments in CALLS:
        assert call(node.locked, *arguments)["outcome"] == "hit"


def test_a_locked_socket_says_what_is_not_pinned_and_compiles_nothing(make_node, work):
    node = make_node(toolchains=("13.0",))
    assert "no bundle is there" in refusal(node.locked, *CALLS[0])
    call(node.open, *CALLS[0])
    refusal(node.locked, *CALLS[0])  # which only the open socket has
    node.open.json("warm", "app.kiln")
    compiled = node.open.compiles()
    key = call(node.locked, *CALLS[0])["key"]
    said = refusal(node.locked, "scale.cu", "--target", "sm_86")
    assert '"scale.cu" for sm_86' in said and "pinned for target" in said and "kiln build" in said
    assert key in refusal(node.locked, *CALLS[0], "-D", "X")
    (work / "scale.cu").write_text("// changed\n" + (work / "scale.cu").read_text())
    assert "another source" in refusal(node.locked, *CALLS[0])
    (work / "include/v.h").write_text("#define V 8\n")
    assert "v.h changed" in refusal(node.locked, *CALLS[1])
    assert "neither its source" in refusal(node.locked, "-", "--target", "sm_90", "--name", "strange.cu")
    assert node.open.compiles() == compiled
    text = node.locked.run("compile", *CALLS[1])
    assert text.returncode == 4 and text.stderr.startswith(b"kiln: not_pinned: ")


def test_the_library_does_not_compile_by_itself_what_a_locked_socket_refuses(make_node, bin, work):
    node = make_node(toolchains=(bin / "kiln-compiler-llvm",))
    load = (TESTS / "load_kernel", "host", "llvm-ir", ROOT / "examples/kernels/saxpy.ll", "host", "saxpy")
    result = subprocess.run(
        list(map(str, load)), env=environment(KILN_SOCKET=node.socket), capture_output=True, timeout=DEADLINE, cwd=work
    )
    assert result.returncode == 1 and result.stdout.startswith(b"not_pinned "), result.stdout
    assert node.open.compiles() == 0


def test_lanes_are_listed_and_a_status_tells_its_own(node):
    lanes = {lane["socket"]: (lane["domain"], lane["lane"]) for lane in node.open.json("lanes")["lanes"]}
    assert lanes == {str(node.daemon.socket): ("default", "open"), str(node.socket): ("default", "locked")}
    assert node.open.json("status")["lane"] == "open"
    assert node.locked.json("status")["lane"] == "locked"


def test_only_the_daemons_user_and_root_bring_bundles_and_remove_them(node, work, folder):
    node.open.json("warm", "app.kiln")
    for path in (folder, node.daemon.folder):
        path.chmod(0o755)
    os.chmod(node.daemon.socket, 0o666)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    os.chmod(work, 0o755)
    for arguments in (("warm", "app.kiln"), ("warm", "--remove", "app.kiln")):
        refused = node.open.run(*arguments, **nobody)
        assert refused.returncode == 4 and b"only root and the user that kilnd runs as" in refused.stderr
    assert node.open.run("warm", "--list", **nobody).returncode == 0
    assert node.bundles() == ["app.kiln"]


def test_coverage_of_a_daemon_says_what_would_miss_and_why(make_node, work):
    node = make_node(toolchains=("13.0",))
    nothing = node.locked.json("coverage", "app.lock", "--daemon", status=1)
    assert nothing["covered"] == 0 and len(nothing["misses"]) == 4
    node.open.json("warm", "app.kiln")
    assert node.locked.json("coverage", "app.lock", "--daemon")["missing"] == 0
    assert node.open.json("stats")["hits"] == 0 and " hit" not in node.daemon.log_text()  # for nobody used them
    other = node.locked.json("coverage", "app.lock", "--daemon", "--target", "sm_86", status=1)
    assert {miss["kernel"] for miss in other["misses"]} == {"scale.cu: scale", "header.cu: with_header"}
    assert all("pinned for target" in miss["reason"] for miss in other["misses"])
    assert node.open.compiles() == 0


@pytest.mark.parametrize("device,fits", [("sm_90", ["sm_90"]), ("sm_86", ["sm_80"]), ("sm_100", [])])
def test_warming_says_what_of_a_bundle_fits_the_gpus_of_the_node(node, device, fits):
    variables = {"LD_LIBRARY_PATH": str(TESTS / "stand_in_drivers"), "KILN_STAND_IN_DEVICE": device}
    warmed = node.open.json("warm", "app.kiln", env=node.open.environment | variables)
    assert [target for target in warmed["fits"] if target.startswith("sm_")] == fits
    of_nvidia = [note for note in warmed["notes"] if "NVIDIA" in note]
    if fits:
        assert not of_nvidia
    else:
        assert "sm_80, sm_90" in of_nvidia[0] and "--target sm_100" in of_nvidia[0]


def test_a_kernel_in_two_stages_is_covered_where_both_are(bin, make_daemon, make_node, work):
    arguments = ("scale.cu", "--target", "sm_86", "--virtual-arch", "compute_80")
    toolchains = ("13.0", nvjitlink_library("12.9"), nvjitlink_library("13.0"))
    daemon = make_daemon("elsewhere", toolchains=toolchains)
    daemon.start()
    elsewhere = Kiln(bin, daemon.socket, work)
    record(elsewhere, bin, "staged.lock", [arguments])
    elsewhere.json("build", "staged.lock", "-o", "staged.kiln")
    node = make_node(toolchains=toolchains)
    for kiln in (node.open, node.locked):
        assert kiln.json("coverage", "staged.lock", "--daemon", status=1)["missing"] == 1
    node.open.json("warm", "staged.kiln")
    for kiln in (node.open, node.locked):
        assert kiln.json("coverage", "staged.lock", "--daemon")["covered"] == 1
        assert call(kiln, *arguments)["outcome"] == "hit"
    assert node.open.compiles() == 0


def test_coverage_of_a_daemon_says_by_which_toolchain_it_would_be_there(bin, make_daemon, node, work):
    daemon = make_daemon("elsewhere", toolchains=("12.9",))
    daemon.start()
    record(Kiln(bin, daemon.socket, work), bin, "older.lock", [(*CALLS[0], "--toolchain", "'nvrtc 12.9'")])
    node.open.json("warm", "app.kiln")
    (miss,) = node.locked.json("coverage", "older.lock", "--daemon", status=1)["misses"]
    assert '"nvrtc 12.9"' in miss["reason"] and '"nvrtc 13.0"' in miss["reason"]


def test_coverage_of_a_daemon_names_the_file_that_differs_and_what_was_never_built(bin, shared_daemon, node, work):
    elsewhere = Kiln(bin, shared_daemon("13.0", bin / "kiln-compiler-mlir").socket, work)
    (work / "include/v.h").write_text("#define V 8\n")
    (work / "new.cu").write_text('extern "C" __global__ void fresh(int* data) { *data = 1; }\n')
    record(elsewhere, bin, "next.lock", (CALLS[1], ("new.cu", "--target", "sm_90")))
    node.open.json("warm", "app.kiln")
    misses = node.locked.json("coverage", "next.lock", "--daemon", status=1)["misses"]
    reasons = {miss["kernel"]: miss["reason"] for miss in misses}
    assert reasons.keys() == {"header.cu: with_header", "new.cu: fresh"}
    assert "v.h changed" in reasons["header.cu: with_header"]
    assert "neither its source" in reasons["new.cu: fresh"]


def test_coverage_of_a_daemon_tells_another_build_of_the_toolchain(make_node, bin, work, folder):
    other = folder / "kiln-compiler-mlir"
    other.write_bytes((bin / "kiln-compiler-mlir").read_bytes() + b"\0")
    other.chmod(0o755)
    node = make_node(toolchains=(other,))
    node.open.json("warm", "app.kiln")
    (miss,) = node.open.json("coverage", "app.lock", "--daemon", "--target", "gfx942", status=1)["misses"]
    assert 'another build of toolchain "mlir 22.1" (identity ' in miss["reason"]


def test_coverage_of_a_daemon_that_cannot_be_reached_is_no_answer(bin, work):
    nowhere = Kiln(bin, work / "no.sock", work).run("coverage", "app.lock", "--daemon")
    assert nowhere.returncode == 3 and b"cannot be reached" in nowhere.stderr


def test_a_client_that_is_killed_while_it_warms_leaves_nothing(node, work):
    write_many_kernels(work / "many.kiln")
    client = node.open.start("warm", "many.kiln")
    assert b"kernels" in client.stderr.readline()
    client.kill()
    client.communicate(timeout=DEADLINE)
    assert node.bundles() == [] and node.open.json("ls")["entries"] == []
    assert node.open.json("warm", "many.kiln")["was_there"] is False
    assert len(node.open.json("ls")["entries"]) == 3000


def test_a_daemon_that_goes_away_while_it_is_warmed_has_nothing_of_it(node, work):
    write_many_kernels(work / "many.kiln")
    client = node.open.start("warm", "many.kiln")
    assert b"kernels" in client.stderr.readline()
    node.daemon.kill()
    _, said = client.communicate(timeout=DEADLINE)
    assert client.returncode == 3, said
    node.daemon.start()
    assert node.bundles() == [] and node.open.json("ls")["entries"] == []
    assert node.open.json("warm", "many.kiln")["entries"] == 3000


def test_a_daemon_that_is_stopped_while_it_is_warmed_ends_in_order(node, work):
    write_many_kernels(work / "many.kiln")
    for _ in range(3):
        client = node.open.start("warm", "many.kiln")
        assert b"kernels" in client.stderr.readline()
        node.daemon.stop()
        client.communicate(timeout=DEADLINE)
        assert client.returncode == 3
        node.daemon.start()
        assert node.bundles() == [] and node.open.json("ls")["entries"] == []


def test_a_disk_without_room_takes_nothing_of_a_bundle(make_node, work, folder):
    if "KILN_SANITIZE:STRING=\n" not in (TESTS.parent / "CMakeCache.txt").read_text():
        pytest.skip("libasan wants to be loaded first")
    full = folder / "full"
    node = make_node(variables={"LD_PRELOAD": TESTS / "libfull_disk.so", "KILN_TEST_FULL_DISK": full})
    node.open.json("warm", "app.kiln")
    write_many_kernels(work / "many.kiln")
    client = node.open.start("warm", "many.kiln")
    client.stderr.readline()
    full.touch()
    _, said = client.communicate(timeout=DEADLINE)
    assert client.returncode == 4, said
    assert b"nothing of 'many.kiln' was brought in" in said and b"No space left" in said
    assert call(node.locked, *CALLS[0])["outcome"] == "hit"
    assert node.bundles() == ["app.kiln"] and len(node.open.json("ls")["entries"]) == 6
    full.unlink()  # RocksDB looks for room again every few seconds
    wait_for(lambda: node.open.run("warm", "many.kiln").returncode == 0)
    assert sorted(node.bundles()) == ["app.kiln", "many.kiln"]


@pytest.mark.parametrize("damage", ["cut off", "flipped", "flipped index", "no layer", "no bundle", "missing"])
def test_a_bundle_that_is_not_whole_is_not_brought_in(node, work, damage):
    path = work / "damaged.kiln"
    content = bytearray((work / "app.kiln").read_bytes())
    said = ["damaged.kiln"]
    if damage == "cut off":
        path.write_bytes(content[: len(content) * 2 // 3])
    elif damage == "flipped":
        with tarfile.open(work / "app.kiln") as archive:
            kernel = max(archive, key=lambda member: member.size)
        content[kernel.offset_data + kernel.size // 2] ^= 1
        path.write_bytes(content)
        said += ["nothing of", "has other bytes than its digest says", "(kilnd: a layer with the digest"]
    elif damage == "flipped index":
        digit = content.index(b'"identity"') + len('"identity":"')
        content[digit] = ord("1") if content[digit] == ord("0") else ord("0")
        path.write_bytes(content)
        said.append("has an index with other bytes than its digest says")
    elif damage == "no layer":
        node.open.json("bundle", "merge", "app.kiln", "-o", "damaged.kiln/")
        blob_of(path, manifest_of(path)["layers"][0]).unlink()
        said.append("nothing of")
    elif damage == "no bundle":
        path.write_bytes(b"#!/bin/sh\n" * 1000)
    failure = node.open.json("warm", "damaged.kiln", status=4)["failure"]
    assert failure["kind"] == "invalid_bundle" and all(words in failure["message"] for words in said), failure
    assert ("(kilnd:" in failure["message"]) == damage.startswith("flipped")
    assert node.bundles() == [] and node.open.json("ls")["entries"] == []


def test_a_kernel_that_is_too_large_to_be_brought_in_is_named_with_its_bundle(node, work):
    """Told before anything is read or sent: the layer is a hole in a file."""
    node.open.json("bundle", "merge", "app.kiln", "-o", "large/")
    manifest = manifest_of(work / "large")
    manifest["layers"][0]["size"] = 257 << 20
    os.truncate(blob_of(work / "large", manifest["layers"][0]), 257 << 20)
    write_manifest(work / "large", manifest)
    refused = node.open.run("warm", "large/")
    assert refused.returncode == 4 and b"of 'large/' has 257 MiB, and at most 256 can be brought" in refused.stderr
    assert node.bundles() == []


def test_a_bundle_of_a_newer_format_is_refused_by_its_version(node, work):
    node.open.json("bundle", "merge", "app.kiln", "-o", "newer/")
    write_newer(work / "newer")
    refused = node.open.run("warm", "newer/")
    assert refused.returncode == 4 and b"version 2" in refused.stderr and b"newer kiln" in refused.stderr
    assert node.bundles() == []


class Taking(schema.Session.Server):
    """A kilnd that takes any bundle, and answers nothing else."""

    async def warm_context(self, context):
        context.results.isThere = True
        context.results.bundle.name = context.params.name


class Telling(Taking):
    """One that does."""

    async def status_context(self, context):
        pass

    async def toolchains_context(self, context):
        pass


class Refusing(schema.Session.Server):
    async def warm_context(self, context):
        context.results.problem = "no bundle today"


class GoesAway(schema.Session.Server):
    """One that goes away while a bundle comes, or when all has come."""

    def __init__(self, stream, method):
        self.stream = stream
        self.method = method

    def called(self, method):
        if method == self.method:
            self.stream.close()

    async def warm_context(self, context):
        class Warming(schema.Warming.Server):
            async def add_context(_, context):
                self.called("add")

            async def commit_context(_, context):
                self.called("commit")

        context.results.warming = Warming()


async def warm_at(socket, kiln, path, make_session):
    """The exit status of `kiln warm`, and what it printed, at a kilnd with such a session."""

    class StandIn(schema.Kiln.Server):
        def __init__(self, stream):
            self.stream = stream

        async def connect_context(self, context):
            context.results.daemon.protocolVersion = schema.protocolVersion
            context.results.daemon.requestHashVersion = context.params.client.requestHashVersion
            context.results.session = make_session(self.stream)

    async def serve(stream):
        await capnp.TwoPartyServer(stream, bootstrap=StandIn(stream)).on_disconnect()

    async with await capnp.AsyncIoStream.create_unix_server(serve, str(socket)):
        process = await asyncio.create_subprocess_exec(
            *map(str, (kiln.program, "--socket", socket, "--json", "warm", path)), stdout=subprocess.PIPE,
            cwd=kiln.folder, env=kiln.environment
        )
        output, _ = await process.communicate()
        return process.returncode, json.loads(output)


@pytest.mark.parametrize("kilnd,is_newer,said", [(Taking, False, "kilnd at"), (Telling, True, "version 2")])
def test_a_bundle_that_kilnd_has_taken_is_there_whatever_else_cannot_be_told(alone, work, folder, kilnd, is_newer, said):
    alone.json("bundle", "merge", "app.kiln", "-o", "app/")
    if is_newer:
        write_newer(work / "app")
    status, warmed = scripted_client.run(warm_at(folder / "later.sock", alone, "app/", lambda _: kilnd()))
    assert (status, warmed["was_there"], warmed["fits"]) == (0, True, None)
    (note,) = warmed["notes"]
    assert "how it fits this node cannot be told" in note and said in note


def test_why_kilnd_refuses_a_bundle_is_said_beside_what_is_wrong_with_it(alone, work, folder):
    alone.json("bundle", "merge", "app.kiln", "-o", "app/")
    write_newer(work / "app")
    status, refused = scripted_client.run(warm_at(folder / "later.sock", alone, "app/", lambda _: Refusing()))
    assert (status, refused["failure"]["kind"]) == (4, "invalid_bundle")
    assert "version 2" in refused["failure"]["message"] and "(kilnd: no bundle today)" in refused["failure"]["message"]


def test_only_a_bundle_whose_commit_was_not_answered_may_be_there_or_not(alone, work, folder):
    unknown = "it is not known whether 'app.kiln' was brought in, whole or not at all; once kilnd answers, "
    for method, said in (("add", "nothing of 'app.kiln' was brought in: kilnd at"), ("commit", unknown)):
        scenario = warm_at(folder / f"{method}.sock", alone, "app.kiln", lambda stream: GoesAway(stream, method))
        status, failed = scripted_client.run(scenario)
        assert (status, failed["failure"]["kind"]) == (3, "unreachable")
        assert said in failed["failure"]["message"]
    nowhere = alone.run("--socket", "no.sock", "warm", "app.kiln")
    assert nowhere.returncode == 3 and b"nothing of 'app.kiln' was brought in: " in nowhere.stderr


def test_two_who_warm_at_once_have_one_bundle(node, work):
    write_many_kernels(work / "many.kiln", kernels=500, size=4096)
    clients = [node.open.start("--json", "warm", "many.kiln") for _ in range(3)]
    for client in clients:
        said, problem = client.communicate(timeout=DEADLINE)
        assert client.returncode == 0, problem
    assert node.bundles() == ["many.kiln"]
    assert len(node.open.json("ls")["entries"]) == 500
