"""Bundles as they travel: copied by skopeo, through a registry, put together, compared, and damaged."""

import contextlib
import hashlib
import io
import json
import re
import subprocess
import tarfile

import pytest

from harness import DEADLINE, Kiln, nvjitlink_library, run
from record_build_test import record, write_application

TARGETS = ("--target", "sm_80", "--target", "sm_90a", "--target", "gfx942")


@pytest.fixture
def kiln(bin, shared_daemon, work):
    return Kiln(bin, shared_daemon("13.0", bin / "kiln-compiler-mlir").socket, work)


@pytest.fixture
def bundle(kiln, bin, work):
    """What kiln build says of app.kiln, which it has built."""
    write_application(work)
    record(kiln, bin, "app.lock")
    return kiln.json("build", "app.lock", *TARGETS, "-o", "app.kiln")


def blobs_of(layout):
    """The content of each blob of a directory, by its digest."""
    return {path.name: path.read_bytes() for path in (layout / "blobs/sha256").iterdir()}


def manifest_of(layout):
    """The digest of the one manifest, and what it says."""
    (described,) = json.loads((layout / "index.json").read_text())["manifests"]
    digest = described["digest"]
    return digest, json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())


@contextlib.contextmanager
def registry(folder):
    """Debian's docker-registry on a port of its own; its host and port."""
    folder.mkdir()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        "http: {addr: 'localhost:0'}\n"
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", folder / "config.yml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in process.stdout:
            if found := re.search(r"listening on (\S+:\d+)", line):
                yield f"localhost:{found[1].rpartition(':')[2].rstrip(',')}"
                return
        raise AssertionError("docker-registry ended before it listened")
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


def skopeo(*arguments):
    run("skopeo", "--insecure-policy", "copy", *arguments)


def test_skopeo_copies_a_bundle_to_another_layout_and_through_a_registry_unchanged(kiln, bundle, work, folder):
    kiln.json("bundle", "merge", "app.kiln", "-o", "directory/")
    digest, manifest = manifest_of(work / "directory")
    assert digest == bundle["digest"]
    skopeo(f"oci-archive:{work}/app.kiln", f"oci:{work}/copy:latest")
    with registry(folder / "registry") as host:
        skopeo("--dest-tls-verify=false", f"oci:{work}/directory", f"docker://{host}/kernels:1")
        skopeo("--src-tls-verify=false", f"docker://{host}/kernels:1", f"oci:{work}/back:latest")
        skopeo("--src-tls-verify=false", f"docker://{host}/kernels:1", f"oci-archive:{work}/back.tar")
    for copy in ("copy", "back"):
        assert manifest_of(work / copy) == (digest, manifest)
        assert blobs_of(work / copy) == blobs_of(work / "directory")
    shown = kiln.json("bundle", "show", "app.kiln")
    for copy in ("directory", "copy", "back", "back.tar"):
        assert kiln.json("bundle", "show", copy) == shown | {"bundle": copy}


def test_a_manifest_says_what_a_bundle_is_and_names_its_kernels(kiln, bundle, work):
    kiln.json("bundle", "merge", "app.kiln", "-o", "directory/")
    _, manifest = manifest_of(work / "directory")
    assert manifest["artifactType"] == "application/vnd.kiln.bundle.v1"
    assert manifest["config"]["mediaType"] == "application/vnd.kiln.bundle.index.v1+json"
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
    assert sorted(titles) == ["header.cu: with_header", "saxpy.mlir: saxpy", "scale.cu: scale", "scale.cu: scale"]
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.kiln.kernel.v1+capnp"}
    index = json.loads(blobs_of(work / "directory")[manifest["config"]["digest"].removeprefix("sha256:")])
    assert {kernel["name"] for kernel in index["kernels"]} == set(titles)
    assert [toolchain["name"] for toolchain in index["toolchains"]] == ["mlir 22.1", "nvrtc 13.0"]


def layers_of(kiln, path):
    return {kernel["layer"]: kernel["kernel"] for kernel in kiln.json("bundle", "ls", path)["kernels"]}


def test_a_kernel_that_has_not_changed_keeps_its_layer(kiln, bin, bundle, work):
    (work / "include/v.h").write_text("#define V 8\n")
    record(kiln, bin, "changed.lock")
    kiln.json("build", "changed.lock", *TARGETS, "-o", "changed.kiln")
    before, after = layers_of(kiln, "app.kiln"), layers_of(kiln, "changed.kiln")
    changed = set(after) - set(before)
    assert [after[layer] for layer in changed] == ["header.cu: with_header"]
    differences = kiln.json("bundle", "diff", "app.kiln", "changed.kiln", status=1)["differences"]
    assert [(one["kernel"], one["target"], one["difference"]) for one in differences] == [
        ("header.cu: with_header", "sm_80", "a file that it depends on"),
        ("header.cu: with_header", "sm_90a", "a file that it depends on"),
    ]
    assert kiln.json("bundle", "diff", "app.kiln", "app.kiln")["differences"] == []


def test_bundles_for_two_targets_merge_to_the_bundle_for_both(kiln, bundle, work):
    kiln.json("build", "app.lock", "--target", "sm_80", "-o", "one.kiln")
    kiln.json("build", "app.lock", *TARGETS[2:], "-o", "two.kiln")
    for first, second in (("one", "two"), ("two", "one")):
        merged = kiln.json("bundle", "merge", f"{first}.kiln", f"{second}.kiln", "-o", "merged.kiln")
        assert merged["digest"] == bundle["digest"]
        assert (work / "merged.kiln").read_bytes() == (work / "app.kiln").read_bytes()


def repacked(path, change):
    """The tar with what `change` makes of (name, content) of each member; None leaves it out."""
    with tarfile.open(path) as archive:
        members = [(member.name, archive.extractfile(member).read()) for member in archive if member.isfile()]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in filter(None, (change(*member) for member in members)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(out.getvalue())


def is_layer(name, content):
    return name.startswith("blobs/") and not content.startswith(b"{")


@pytest.mark.parametrize(
    "change,said",
    [
        (lambda name, content: (name, content[:-8] + b"damaged!" if is_layer(name, content) else content), "other bytes than its digest says"),
        (lambda name, content: None if is_layer(name, content) else (name, content), "is not in it"),
        (lambda name, content: ("../" + name if is_layer(name, content) else name, content), "'../blobs"),
        (lambda name, content: ("/etc/" + name if is_layer(name, content) else name, content), "/etc/blobs"),
        (lambda name, content: (name, content.replace(b'"1.0.0"', b'"9.0.0"') if name == "oci-layout" else content), "9.0.0"),
        (lambda name, content: (name, b"{}" if name == "index.json" else content), "index.json"),
    ],
)
def test_a_bundle_that_was_damaged_or_forged_is_refused_and_nothing_of_it_used(kiln, bundle, work, change, said):
    repacked(work / "app.kiln", change)
    failed = kiln.json("bundle", "merge", "app.kiln", "-o", "merged.kiln", status=4)
    assert failed["failure"]["kind"] == "invalid_bundle"
    assert said in failed["failure"]["message"]
    assert not (work / "merged.kiln").exists()


def test_a_bundle_that_is_cut_off_anywhere_is_refused(kiln, bundle, work):
    whole = (work / "app.kiln").read_bytes()
    used = len(whole.rstrip(b"\0"))
    for size in [0, 1, 511, 512, 513, *range(1024, used - 512, used // 20)]:
        (work / "cut.kiln").write_bytes(whole[:size])
        failed = kiln.json("bundle", "merge", "cut.kiln", "-o", "merged.kiln", status=4)
        assert failed["failure"]["kind"] == "invalid_bundle", size
    assert not (work / "merged.kiln").exists()


def test_members_in_another_order_are_the_same_bundle(kiln, bundle, work):
    with tarfile.open(work / "app.kiln") as archive:
        members = [(member.name, archive.extractfile(member).read()) for member in archive]
    order = iter(sorted(members, reverse=True))
    repacked(work / "app.kiln", lambda name, content: next(order))
    assert kiln.json("bundle", "show", "app.kiln")["digest"] == bundle["digest"]


def with_layout_of_another(work, kind, index):
    """A layout whose image is of another kind, or whose index says something else."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": kind,
        "config": {
            "mediaType": "application/vnd.kiln.bundle.index.v1+json",
            "digest": "sha256:" + hashlib.sha256(index).hexdigest(),
            "size": len(index),
        },
        "layers": [],
    }
    text = json.dumps(manifest).encode()
    described = {"mediaType": manifest["mediaType"], "digest": "sha256:" + hashlib.sha256(text).hexdigest(), "size": len(text)}
    layout = work / "foreign"
    (layout / "blobs/sha256").mkdir(parents=True)
    for content in (text, index):
        (layout / "blobs/sha256" / hashlib.sha256(content).hexdigest()).write_bytes(content)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [described]}))


@pytest.mark.parametrize(
    "kind,index,said",
    [
        ("application/vnd.someone.else", b"{}", ["application/vnd.someone.else"]),
        ("application/vnd.kiln.bundle.v1", b'{"version":2}', ["version 2", "newer kiln"]),
        ("application/vnd.kiln.bundle.v1", b"{}", ["cannot be read"]),
    ],
)
def test_a_foreign_or_newer_bundle_is_told_for_what_it_is(kiln, work, kind, index, said):
    with_layout_of_another(work, kind, index)
    failed = kiln.json("bundle", "show", "foreign", status=4)
    for part in said:
        assert part in failed["failure"]["message"]


def missing(kiln, lock, *arguments, status=1):
    coverage = kiln.json("coverage", lock, *arguments, status=status)
    return [(one["kernel"], one["target"], one["reason"]) for one in coverage["misses"]]


def test_coverage_says_of_each_kernel_that_would_miss_why(kiln, bin, bundle, work):
    assert missing(kiln, "app.lock", "app.kiln", *TARGETS, status=0) == []
    assert kiln.json("coverage", "app.lock", "app.kiln", *TARGETS)["covered"] == 7
    assert [reason for _, _, reason in missing(kiln, "app.lock", "app.kiln", "--target", "sm_100")] == [
        "it is built for sm_80, sm_90a alone"
    ] * 3
    (work / "new.cu").write_text('extern "C" __global__ void added() {}\n')
    (work / "include/v.h").write_text("#define V 8\n")
    calls = (
        ("new.cu", "--target", "sm_80"),
        ("header.cu", "--target", "sm_80", "-I", "include"),
        ("scale.cu", "--target", "sm_80"),
    )
    record(kiln, bin, "later.lock", calls)
    assert missing(kiln, "later.lock", "app.kiln") == [
        ("header.cu: with_header", "sm_80", "it is built with another <include 0>/v.h"),
        ("new.cu: added", "sm_80", "it was never built"),
    ]


def test_coverage_follows_the_toolchain_that_the_application_asks_for_and_both_stages(kiln, bin, make_daemon, work):
    daemon = make_daemon("both", toolchains=("13.0", "12.9", nvjitlink_library("13.0")))
    daemon.start()
    kiln = Kiln(bin, daemon.socket, work)
    write_application(work)
    calls = (
        ("scale.cu", "--target", "sm_90", "--toolchain", "'nvrtc 12.9'"),
        ("header.cu", "--target", "sm_90", "-I", "include", "--virtual-arch", "compute_80"),
    )
    record(kiln, bin, "app.lock", calls)
    kiln.json("build", "app.lock", "-o", "app.kiln")
    assert missing(kiln, "app.lock", "app.kiln", status=0) == []
    kiln.json("build", "app.lock", "--toolchain", "nvrtc 13.0", "-o", "newer.kiln")
    assert missing(kiln, "app.lock", "newer.kiln") == [
        ("scale.cu: scale", "sm_90", "it is built by nvrtc 13.0, and the application asks for nvrtc 12.9")
    ]


def test_coverage_knows_an_application_that_was_recorded_in_another_directory(kiln, bin, bundle, work, folder):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    write_application(elsewhere)
    there = Kiln(bin, kiln.environment["KILN_SOCKET"], elsewhere)
    record(there, bin, "app.lock")
    assert missing(there, "app.lock", work / "app.kiln", *TARGETS, status=0) == []
    there.json("build", "app.lock", *TARGETS, "-o", "app.kiln")
    there.json("bundle", "merge", "app.kiln", work / "app.kiln", "-o", "both.kiln")
    for lock in (work / "app.lock", elsewhere / "app.lock"):
        assert missing(there, lock, "both.kiln", *TARGETS, status=0) == []


def test_a_bundle_whose_index_names_a_layer_twice_is_refused(kiln, bundle, work):
    kiln.json("bundle", "merge", "app.kiln", "-o", "directory/")
    _, manifest = manifest_of(work / "directory")
    index = json.loads(blobs_of(work / "directory")[manifest["config"]["digest"].removeprefix("sha256:")])
    index["kernels"].append(index["kernels"][0])
    with_layout_of_another(work, manifest["artifactType"], json.dumps(index).encode())
    said = kiln.json("bundle", "show", "foreign", status=4)["failure"]["message"]
    assert "two kernels have the layer" in said and "json.exception" not in said
