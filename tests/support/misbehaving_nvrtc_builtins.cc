// The builtins library of misbehaving_nvrtc. It holds nothing; toolchains are found by it.
#pragma GCC visibility push(default)
extern "C" const char* misbehavingNvrtcBuiltins() { return "none"; }
#pragma GCC visibility pop
