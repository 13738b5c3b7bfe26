"""nvJitLink called directly: nvjitlink_direct.py LIBRARY PTX CUBIN LOG [OPTION...]; exits with 1 on an error of the PTX."""

import ctypes
import pathlib
import sys

PTX_INPUT = 2


def text_of(library, handle, kind):
    size = ctypes.c_size_t()
    getattr(library, f"nvJitLinkGet{kind}LogSize")(handle, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value + 1)
    getattr(library, f"nvJitLinkGet{kind}Log")(handle, text)
    return text.value


def main(path, ptx, cubin, log, *options):
    library = ctypes.CDLL(path)
    handle = ctypes.c_void_p()
    given = (ctypes.c_char_p * len(options))(*map(str.encode, options))
    failed = library.nvJitLinkCreate(ctypes.byref(handle), len(options), given)
    source = pathlib.Path(ptx).read_bytes()
    if not failed:
        failed = library.nvJitLinkAddData(handle, PTX_INPUT, source, ctypes.c_size_t(len(source)), ptx.encode())
    failed = failed or library.nvJitLinkComplete(handle)
    pathlib.Path(log).write_bytes(text_of(library, handle, "Error") + text_of(library, handle, "Info"))
    if failed:
        return 1
    size = ctypes.c_size_t()
    assert library.nvJitLinkGetLinkedCubinSize(handle, ctypes.byref(size)) == 0
    binary = ctypes.create_string_buffer(size.value)
    assert library.nvJitLinkGetLinkedCubin(handle, binary) == 0
    pathlib.Path(cubin).write_bytes(binary.raw)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
