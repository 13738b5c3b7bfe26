"""hiprtc called directly: hiprtc_direct.py LIBRARY SOURCE HSACO LOG [OPTION...]; exits with 1 on an error of the source."""

import ctypes
import pathlib
import sys


def main(path, source, hsaco, log, *options):
    library = ctypes.CDLL(path)
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    text = pathlib.Path(source).read_bytes()
    assert library.hiprtcCreateProgram(ctypes.byref(program), text, source.encode(), 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*map(str.encode, options))
    failed = library.hiprtcCompileProgram(program, len(options), given)
    assert library.hiprtcGetProgramLogSize(program, ctypes.byref(size)) == 0
    written = ctypes.create_string_buffer(size.value + 1)
    assert library.hiprtcGetProgramLog(program, written) == 0
    pathlib.Path(log).write_bytes(written.value)
    if failed:
        return 1
    assert library.hiprtcGetCodeSize(program, ctypes.byref(size)) == 0
    binary = ctypes.create_string_buffer(size.value)
    assert library.hiprtcGetCode(program, binary) == 0
    pathlib.Path(hsaco).write_bytes(binary.raw)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
