"""What a compiler may do to kiln, and what it sees: a compiler library of the tests' own that does what its source says."""

import os
import pathlib

import pytest

from harness import DEADLINE, OWN_CRASHES, Kiln, compiling, wait_for

MISBEHAVING = pathlib.Path(os.environ["KILN_TEST_REFERENCE"]).parent / "misbehaving_nvrtc"

SANITIZED = "asan" in str(MISBEHAVING)

CONTENT = "open open64 openat openat64 __open_2 __open64_2 __openat_2 __openat64_2 fopen fopen64 freopen freopen64".split()
STATUS = (
    "stat stat64 lstat lstat64 fstat fstat64 fstatat fstatat64 __xstat __xstat64 __lxstat __lxstat64 __fxstat __fxstat64"
    " __fxstatat __fxstatat64 statx"
).split()
ACCESS = "access faccessat eaccess euidaccess".split()
LINK = "readlink readlinkat __readlink_chk __readlinkat_chk".split()
PATH = "realpath __realpath_chk canonicalize_file_name".split()
CURRENT = "getcwd __getcwd_chk get_current_dir_name".split()
LISTING = (
    "opendir fdopendir readdir readdir64 readdir_r readdir64_r closedir rewinddir telldir seekdir scandir scandir64".split()
)
WRITING = "creat creat64".split()
TIME = "time gettimeofday clock_gettime".split()
RANDOM = "getrandom getentropy arc4random arc4random_uniform arc4random_buf getpid".split()


@pytest.fixture
def daemon(make_daemon):
    daemon = make_daemon(
        toolchains=("13.99",),
        config="memory_limit_mb = 512\njobs = 2",
        variables=OWN_CRASHES,
    )
    daemon.start()
    return daemon


@pytest.fixture
def ask(kiln, work):
    """Compiles a source that tells the compiler what to do."""

    def ask(text, *arguments, status=0, file="k.cu"):
        (work / file).write_text(text)
        return kiln.compile(file, *arguments, status=status)

    return ask


@pytest.mark.parametrize("how", ["crash", "segv", "exit"])
def test_a_compiler_that_dies_is_a_crash_for_its_request_and_nothing_for_others(ask, kiln, how):
    for _ in range(2):
        reply = ask(f"misbehave: {how}\n", status=5)
        assert (reply["outcome"], reply["failure"]["kind"]) == ("miss", "compiler_crash")
    assert kiln.json("stats")["entries"] == 0
    assert ask("fine\n")["outcome"] == "miss"


@pytest.mark.parametrize("how", ["hang", "spin"])
def test_a_compiler_that_does_not_end_is_a_timeout(ask, kiln, how):
    reply = ask(f"misbehave: {how}\n", "--timeout", "0.2", status=5)
    assert reply["failure"]["kind"] == "timeout"
    assert kiln.json("stats")["entries"] == 0
    wait_for(lambda: not compiling(kiln))
    assert ask("fine\n")["outcome"] == "miss"


def test_what_a_compiler_prints_is_quoted_in_the_log_and_forges_no_line_of_it(ask, daemon):
    ask(r"misbehave: print one\n2026-01-01T00:00:00.000+0000 info forged\x1b[31m\n".replace(r"\x1b", "\x1b"))
    told = "warning the compiler of nvrtc 13.99 printed "
    wait_for(lambda: daemon.log_text().count(told) == 4)
    lines = [line for line in daemon.log_text().splitlines() if "one" in line or "forged" in line]
    assert [line.partition(told)[2] for line in lines] == [
        "'one'",
        r"'2026-01-01T00:00:00.000+0000 info forged\x1b[31m'",
    ] * 2


def test_the_daemon_s_own_time_limit_holds_without_one_of_the_caller(bin, make_daemon, work):
    daemon = make_daemon("impatient", toolchains=("13.99",), config="compile_timeout_seconds = 1", variables=OWN_CRASHES)
    daemon.start()
    (work / "k.cu").write_text("misbehave: hang\n")
    reply = Kiln(bin, daemon.socket, work).compile("k.cu", status=5)
    assert reply["failure"]["kind"] == "timeout"
    assert "its time limit of 1 s" in reply["failure"]["message"]


def test_a_compiler_that_takes_memory_without_end_is_stopped_at_its_limit(ask, kiln):
    reply = ask("misbehave: grow\n", status=5)
    assert reply["failure"]["kind"] == "memory_limit"
    assert "512" in reply["failure"]["message"]
    assert kiln.json("stats")["entries"] == 0
    assert ask("fine\n")["outcome"] == "miss"


def test_a_crash_beside_a_running_compile_leaves_it_alone(kiln, work, ask):
    (work / "slow.cu").write_text("misbehave: spin\n")
    slow = kiln.start("--json", "compile", "slow.cu", "--target", "sm_90", "--timeout", "1.5")
    assert ask("misbehave: crash\n", status=5)["failure"]["kind"] == "compiler_crash"
    assert ask("fine\n")["outcome"] == "miss"
    assert b'"timeout"' in slow.communicate(timeout=DEADLINE)[0]


def test_memory_that_was_refused_to_the_compiler_is_no_compile_error(ask, kiln):
    reply = ask("misbehave: memory\n", status=5)
    assert reply["failure"]["kind"] in ("memory_limit", "internal")
    assert kiln.json("stats")["entries"] == 0


def test_a_compiler_that_tries_to_write_is_told_no_and_its_result_is_not_remembered(ask, kiln, work):
    target = work / "written"
    reply = ask(f"misbehave: write {target}\n")
    assert "write: error: EROFS" in reply["log"]
    assert str(target) in reply["not_remembered"]
    assert not target.exists()
    assert kiln.json("stats")["entries"] == 0


@pytest.mark.parametrize(
    "functions,path,expected",
    [
        (CONTENT, "seen.txt", "text: hello"),
        (CONTENT + STATUS + ACCESS, "missing.txt", "error: ENOENT"),
        (STATUS, "seen.txt", "file of 5 bytes"),
        (ACCESS, "seen.txt", "granted"),
        (LINK, "link", "link: seen.txt"),
        (PATH, "folder/../link", "path: {work}/seen.txt"),
        (CURRENT, "-", "path: {work}"),
        (LISTING, "folder", "names: a b c"),
        (WRITING, "new.txt", "error: EROFS"),
    ],
    ids=["content", "missing", "status", "access", "link", "path", "current", "listing", "writing"],
)
def test_every_function_gives_the_compiler_the_client_s_view(ask, work, functions, path, expected):
    (work / "seen.txt").write_text("hello")
    (work / "link").symlink_to("seen.txt")
    (work / "folder").mkdir()
    for name in ("a", "b", "c"):
        (work / "folder" / name).touch()
    reply = ask("".join(f"call {function} {path}\n" for function in functions))
    described = dict(zip(functions, reply["log"].splitlines()))
    assert described == {function: expected.format(work=work) for function in functions}
    assert sorted(file.name for file in work.iterdir()) == ["folder", "k.cu", "link", "seen.txt"]


def test_time_is_the_request_s_and_what_is_random_is_the_same_each_time(ask, kiln, make_daemon, bin, work):
    source = "".join(f"call {function} -\n" for function in TIME + RANDOM)
    first = ask(source)["log"]
    for line in first.splitlines()[: len(TIME)]:
        assert line.startswith("seconds: 0")
    second = make_daemon("second", toolchains=("13.99",))
    second.start()
    assert Kiln(bin, second.socket, work).compile("k.cu")["log"] == first


def test_what_the_compiler_saw_is_what_the_entry_depends_on(ask, work):
    (work / "seen.txt").write_text("hello")
    source = "call stat seen.txt\ncall fopen gone/far/away.txt\ncall access other.txt\n"
    assert ask(source)["outcome"] == "miss"
    found = {(item["path"], item["kind"]) for item in ask(source)["dependencies"]}
    assert ("<source>/seen.txt", "file") in found
    assert ("<source>/gone", "absent") in found
    assert ("<source>/other.txt", "absent") in found
    assert ask(source)["outcome"] == "hit"
    (work / "gone").mkdir()
    assert ask(source)["outcome"] == "miss"


def test_links_are_one_file_and_a_copy_is_another(ask, work):
    (work / "a.h").write_text("same")
    os.link(work / "a.h", work / "hard.h")
    (work / "soft.h").symlink_to("a.h")
    (work / "copy.h").write_text("same")
    source = "".join(f"call fopen {name}\n" for name in ("a.h", "hard.h", "soft.h", "copy.h"))
    assert ask(source)["outcome"] == "miss"
    assert ask(source)["outcome"] == "hit"
    (work / "soft.h").unlink()
    (work / "soft.h").write_text("same")
    assert ask(source)["outcome"] == "miss", "a link that became a copy is another file to #pragma once"


def test_a_fifo_is_told_as_what_it_is_and_never_opened(ask, work, kiln):
    os.mkfifo(work / "pipe.h")
    assert "other" in ask("call stat pipe.h\n")["log"]
    reply = ask("call fopen pipe.h\n", status=4)
    assert reply["failure"]["kind"] == "file_unavailable"
    assert "pipe.h" in reply["failure"]["message"] and "FIFO" in reply["failure"]["message"]


def test_a_file_outside_is_denied_and_one_that_is_not_there_is_absent(ask, folder):
    (folder / "secret").write_text("key")
    reply = ask(f"call open {folder}/secret\n", status=4)
    assert reply["failure"]["kind"] == "file_unavailable"
    assert "--allow" in reply["failure"]["message"]
    assert "key" not in str(reply["log"])
    assert "error: ENOENT" in ask(f"call open {folder}/nothing\n")["log"]
    assert "text: key" in ask(f"call open {folder}/secret\n", "--allow", folder)["log"]


def test_a_file_outside_is_denied_through_dots_too(ask, folder):
    (folder / "secret").write_text("key")
    assert ask("call open ../secret\n", status=4)["failure"]["kind"] == "file_unavailable"
