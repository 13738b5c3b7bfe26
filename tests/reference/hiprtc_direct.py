"""hiprtc called directly, without any code of kiln's.

hiprtc_direct.py LIBRARY SOURCE HSACO LOG [--header NAME=PATH]... [--name-expression EXPRESSION]... [OPTION...]

Prints the lowered name of each expression, one a line. Exits with 1 on an error of the source.
"""

import ctypes
import pathlib
import sys


def text_of(library, program):
    size = ctypes.c_size_t()
    assert library.hiprtcGetProgramLogSize(program, ctypes.byref(size)) == 0
    text = ctypes.create_string_buffer(size.value + 1)
    assert library.hiprtcGetProgramLog(program, text) == 0
    return text.value


def strings(values):
    return (ctypes.c_char_p * len(values))(*values)


def create(library, source, headers):
    program = ctypes.c_void_p()
    names = strings([name.encode() for name, _ in headers])
    contents = strings([pathlib.Path(path).read_bytes() for _, path in headers])
    text = pathlib.Path(source).read_bytes()
    created = library.hiprtcCreateProgram(
        ctypes.byref(program), text, source.encode(), len(headers), contents, names
    )
    assert created == 0
    return program


def main(path, source, hsaco, log, *arguments):
    headers, expressions, options = [], [], []
    given = iter(arguments)
    for argument in given:
        if argument == "--header":
            headers.append(next(given).split("=", 1))
        elif argument == "--name-expression":
            expressions.append(next(given).encode())
        else:
            options.append(argument.encode())
    library = ctypes.CDLL(path)
    program = create(library, source, headers)
    for expression in expressions:
        assert library.hiprtcAddNameExpression(program, expression) == 0
    failed = library.hiprtcCompileProgram(program, len(options), strings(options))
    pathlib.Path(log).write_bytes(text_of(library, program))
    if failed:
        return 1
    for expression in expressions:
        lowered = ctypes.c_char_p()
        assert library.hiprtcGetLoweredName(program, expression, ctypes.byref(lowered)) == 0
        print(lowered.value.decode())
    size = ctypes.c_size_t()
    assert library.hiprtcGetCodeSize(program, ctypes.byref(size)) == 0
    binary = ctypes.create_string_buffer(size.value)
    assert library.hiprtcGetCode(program, binary) == 0
    pathlib.Path(hsaco).write_bytes(binary.raw)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
