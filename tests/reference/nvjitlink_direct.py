"""nvJitLink called directly: nvjitlink_direct.py LIBRARY INPUT CUBIN LOG [INPUT...] [OPTION...].

Inputs are PTX, and LTO IR where named so (.ltoir). Exits with 1 on an error of theirs."""

import ctypes
import os
import pathlib
import sys

PTX_INPUT, LTOIR_INPUT = 2, 3


def text_of(library, handle, kind):
    size = ctypes.c_size_t()
    getattr(library, f"nvJitLinkGet{kind}LogSize")(handle, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value + 1)
    getattr(library, f"nvJitLinkGet{kind}Log")(handle, text)
    return text.value


def main(path, first, cubin, log, *arguments):
    options = [argument for argument in arguments if argument.startswith("-")]
    inputs = [first, *(argument for argument in arguments if not argument.startswith("-"))]
    library = ctypes.CDLL(path)
    handle = ctypes.c_void_p()
    given = (ctypes.c_char_p * len(options))(*map(str.encode, options))
    failed = library.nvJitLinkCreate(ctypes.byref(handle), len(options), given)
    names = [name.encode() for name in inputs]  # nvJitLink keeps no copies
    for name in names:
        data = pathlib.Path(os.fsdecode(name)).read_bytes()
        kind = LTOIR_INPUT if name.endswith(b".ltoir") else PTX_INPUT
        failed = failed or library.nvJitLinkAddData(handle, kind, data, ctypes.c_size_t(len(data)), name)
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
