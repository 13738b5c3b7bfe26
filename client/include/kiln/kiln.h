/* kiln: compile GPU kernels once per node, keep the binaries, share them.
 *
 * libkiln hands a request (source, options, target) to the daemon kilnd and gives back what the compiler made
 * of it. The files that the compiler includes are read by this process, with its own rights, and only below
 * the request's own directories unless more is allowed.
 *
 *     kiln_client* client = kiln_client_new(NULL);
 *     kiln_request* request = kiln_request_new();
 *     kiln_request_set_source(request, source, strlen(source));
 *     kiln_request_set_source_name(request, "saxpy.cu");
 *     kiln_request_set_target(request, "sm_90");
 *     kiln_result* result = NULL;
 *     if (kiln_compile(client, request, &result) == KILN_OK) {
 *       // kiln_result_output_data(result, 0), kiln_result_output_size(result, 0)
 *     } else {
 *       fprintf(stderr, "%s\n%s", kiln_result_message(result), kiln_result_log(result, NULL));
 *     }
 *     kiln_result_free(result);
 *     kiln_request_free(request);
 *     kiln_client_free(client);
 *
 * Unless a function says otherwise
 *   - strings go in as UTF-8 or any other bytes ended by NUL, are copied, and may be freed when the function
 * returns;
 *   - strings and bytes that come out belong to the object they were asked of and live as long as it; they
 * are never null, and empty where there is nothing to tell or the object is null;
 *   - a function is quick: it does not block, and touches neither files nor the network;
 *   - one object may be used by one thread at a time. A client may be used by any number of threads at once,
 * and a request or a result may be read by any number of threads at once;
 *   - a setter returns KILN_OK, KILN_INVALID_REQUEST if an argument is null or has no meaning, or
 * KILN_OUT_OF_MEMORY; the object is then as it was before.
 *
 * No function changes the process's signal settings, and no exception leaves one.
 */
#ifndef KILN_KILN_H
#define KILN_KILN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KILN_API __attribute__((visibility("default")))
#else
#define KILN_API
#endif

/* In C++ each enumeration has the type that C gives it, so that a number without a name is a value all the
 * same: one from a later version, or a caller's mistake. */
#ifdef __cplusplus
#define KILN_ENUM : unsigned int
#else
#define KILN_ENUM
#endif

/* How a call ended. Numbers never change; a later version may add some, so treat one you do not know as an
 * error. */
typedef enum kiln_status KILN_ENUM {
  KILN_OK = 0,
  /* The request did not become a binary. */
  KILN_COMPILE_ERROR = 1, /* the compiler refused the source; see kiln_result_log() */
  KILN_INVALID_REQUEST =
      2, /* the request cannot be compiled or remembered; the message says what to change */
  KILN_UNSUPPORTED_TARGET = 3, /* the toolchain does not know the target; the message lists those it knows */
  KILN_TOOLCHAIN_UNAVAILABLE = 4, /* no such toolchain, or it does not load */
  KILN_TIMEOUT = 5,               /* the compile passed its time limit */
  KILN_MEMORY_LIMIT = 6,          /* the compile passed its memory limit */
  KILN_COMPILER_CRASH = 7,        /* the compiler process died */
  KILN_NOT_PINNED = 8,            /* the socket serves what bundles have brought, and none has this request */
  KILN_OVERLOADED = 9,            /* the daemon's queue is full */
  KILN_INTERNAL = 10,             /* a defect of kiln */
  KILN_FILE_UNAVAILABLE = 11, /* a file that the compiler asked for could not be read, or is not allowed */
  /* The request was not answered at all. */
  KILN_UNREACHABLE = 1000,   /* kilnd cannot be reached, or went away twice */
  KILN_OUT_OF_MEMORY = 1001, /* this process has no memory left */
  /* It was compiled, and not loaded. */
  KILN_DRIVER_UNAVAILABLE = 1002, /* no driver, no device or no context; or the driver failed otherwise */
  KILN_BINARY_REFUSED = 1003,     /* the driver takes the binary for none, also when compiled anew */
  KILN_BINARY_UNFIT = 1004,       /* the binary is for another device than this one */
  KILN_NO_SUCH_KERNEL = 1005      /* the binary has no function of that name */
} kiln_status;

typedef enum kiln_language KILN_ENUM {
  KILN_CUDA = 1,    /* CUDA C++, compiled by NVRTC */
  KILN_HIP = 2,     /* HIP C++, compiled by hiprtc */
  KILN_PTX = 3,     /* PTX text or LTO IR, one or several, compiled and linked by nvJitLink */
  KILN_LLVM_IR = 4, /* LLVM IR, text or bitcode, compiled by LLVM */
  KILN_MLIR = 5     /* MLIR, text or bytecode, lowered by MLIR and compiled by LLVM */
} kiln_language;

typedef enum kiln_output_kind KILN_ENUM {
  KILN_OUTPUT_CUBIN = 1,        /* machine code for one architecture: cuModuleLoadData() */
  KILN_OUTPUT_PTX = 2,          /* text, without a terminating NUL */
  KILN_OUTPUT_LTOIR = 3,        /* for nvJitLink */
  KILN_OUTPUT_HSACO = 4,        /* machine code for one AMD architecture: hipModuleLoadData() */
  KILN_OUTPUT_BITCODE = 5,      /* LLVM bitcode for hiprtc's linker */
  KILN_OUTPUT_SHARED_OBJECT = 6 /* machine code for a processor: kiln_load() with KILN_LOADER_HOST */
} kiln_output_kind;

/* Where a binary is loaded, and by what. */
typedef enum kiln_loader KILN_ENUM {
  KILN_LOADER_HOST = 1, /* this process; a module is a handle of dlopen(), a function its address */
  KILN_LOADER_CUDA_MODULE =
      2, /* cuModuleLoadData(), into the thread's current context: CUmodule, CUfunction */
  KILN_LOADER_CUDA_LIBRARY = 3, /* cuLibraryLoadData(), of no context: CUlibrary, CUkernel */
  KILN_LOADER_HIP_MODULE = 4    /* hipModuleLoadData(), onto the current device: hipModule_t, hipFunction_t */
} kiln_loader;

typedef enum kiln_outcome KILN_ENUM {
  KILN_HIT = 0,   /* it was compiled before */
  KILN_MISS = 1,  /* it was compiled for this call */
  KILN_JOINED = 2 /* another caller's compile of the same was running and served this call too */
} kiln_outcome;

typedef enum kiln_priority KILN_ENUM {
  KILN_PRIORITY_NORMAL = 0,
  KILN_PRIORITY_INTERACTIVE = 1,
  KILN_PRIORITY_BACKGROUND = 2
} kiln_priority;

/* What a compile found at a path that it asked for. */
typedef enum kiln_dependency_kind KILN_ENUM {
  KILN_DEPENDENCY_ABSENT = 1,    /* nothing */
  KILN_DEPENDENCY_FILE = 2,      /* a file that it read */
  KILN_DEPENDENCY_DIRECTORY = 3, /* a directory */
  KILN_DEPENDENCY_LISTING = 4,   /* a directory whose entries it listed */
  KILN_DEPENDENCY_LINK = 5,      /* a symbolic link whose text it read */
  KILN_DEPENDENCY_RESOLVED = 6,  /* a path that it resolved */
  KILN_DEPENDENCY_OTHER = 7      /* a FIFO, a socket or a device, which is never opened */
} kiln_dependency_kind;

/* What a kernel needs of the machine. */
typedef enum kiln_resource KILN_ENUM {
  KILN_RESOURCE_REGISTERS = 1,                /* of a thread; of AMD its vector registers */
  KILN_RESOURCE_SCALAR_REGISTERS = 2,         /* AMD: of a wavefront */
  KILN_RESOURCE_ACCUMULATION_REGISTERS = 3,   /* AMD: of a thread */
  KILN_RESOURCE_SPILLED_REGISTERS = 4,        /* AMD: of the vector registers */
  KILN_RESOURCE_SPILLED_SCALAR_REGISTERS = 5, /* AMD */
  KILN_RESOURCE_SPILL_INSTRUCTIONS = 6, /* NVIDIA: that spill a register or fetch it back, if there are any */
  KILN_RESOURCE_SHARED_BYTES = 7,       /* shared memory (LDS) of a block, set aside at compile time */
  KILN_RESOURCE_LOCAL_BYTES = 8,     /* local (private) memory of a thread; of NVIDIA that beside the stack */
  KILN_RESOURCE_STACK_BYTES = 9,     /* NVIDIA: of a thread, with the functions that it calls */
  KILN_RESOURCE_CONSTANT_BYTES = 10, /* NVIDIA: the kernel's own, its parameters included */
  KILN_RESOURCE_MAX_THREADS = 11,    /* of the largest block that it may be launched with, where limited */
  KILN_RESOURCE_WAVEFRONT_SIZE = 12, /* AMD: threads */
  KILN_RESOURCE_DYNAMIC_STACK = 13   /* 1 if it may need more stack than can be told, else 0 */
} kiln_resource;

typedef struct kiln_client_options kiln_client_options;
typedef struct kiln_client kiln_client;
typedef struct kiln_request kiln_request;
typedef struct kiln_module kiln_module;
typedef struct kiln_result kiln_result;

/* The version of the library, "0.1.0". */
KILN_API const char* kiln_version(void);

/* The stable name of a status: "ok", "compile_error", "unreachable", ... "unknown" for a number without a
 * name. */
KILN_API const char* kiln_status_name(kiln_status status);

/* ---- A client: the connection to kilnd ---- */

/* Options with their defaults; null if memory is short. Free them with kiln_client_options_free(), which may
 * be done as soon as the client is made. */
KILN_API kiln_client_options* kiln_client_options_new(void);
KILN_API void kiln_client_options_free(kiln_client_options* options); /* null: does nothing */

/* Where kilnd listens. By default $KILN_SOCKET, else $XDG_RUNTIME_DIR/kiln/kilnd.sock, else
 * /run/kiln/kilnd.sock. */
KILN_API kiln_status kiln_client_options_set_socket(kiln_client_options* options, const char* path);

/* Who this is, for the daemon's log: program and version. */
KILN_API kiln_status kiln_client_options_set_name(kiln_client_options* options, const char* name);

/* Lets the compiler read files below `directory` too, for every request of the client. Beside these it sees
 * only what lies below a request's include directories, its source's directory and its working directory
 * (symbolic links that lie there are followed wherever they lead). A
 * relative path is taken from where the process stands when the client is made. */
KILN_API kiln_status kiln_client_options_allow_directory(kiln_client_options* options, const char* directory);

/* How long to wait for the daemon to take a connection; 5000 by default. */
KILN_API kiln_status kiln_client_options_set_connect_timeout_ms(kiln_client_options* options,
                                                                uint32_t milliseconds);

/* A client; null if memory is short. `options` may be null: the defaults. Does not connect: the first call
 * does, and any later call does again after the daemon was restarted. The connection and the client's threads
 * are kept until the client is freed. A client that a forked child inherits works there too, with a
 * connection of its own; the parent's is not disturbed. */
KILN_API kiln_client* kiln_client_new(const kiln_client_options* options);

/* Closes the connection and waits for the client's threads. Calls that other threads still have under way end
 * as KILN_UNREACHABLE. Null: does nothing. */
KILN_API void kiln_client_free(kiln_client* client);

/* The path of the socket that the client uses. */
KILN_API const char* kiln_client_socket(const kiln_client* client);

/* ---- A request: everything that decides the output ---- */

/* An empty request; null if memory is short. It may be compiled any number of times, and changed
 * between. */
KILN_API kiln_request* kiln_request_new(void);
KILN_API void kiln_request_free(kiln_request* request); /* null: does nothing */

/* The source text: `size` bytes, no terminator needed. */
KILN_API kiln_status kiln_request_set_source(kiln_request* request, const char* source, size_t size);

/* What the source is written in; KILN_CUDA by default. */
KILN_API kiln_status kiln_request_set_language(kiln_request* request, kiln_language language);

/* What the compiler is to call the source, absolute or relative to the working directory: "kernels/saxpy.cu".
 * The file need not exist. Headers included with quotes are looked for in its directory. An absolute name
 * below $TMPDIR (/tmp unless set) is taken for a random one: outputs that hold the source's name hold
 * "/kiln-source/..." in its place, so that they serve callers with other names; logs show the name given
 * here. */
KILN_API kiln_status kiln_request_set_source_name(kiln_request* request, const char* name);

/* Absolute. By default where the process stands at the time of kiln_compile(). */
KILN_API kiln_status kiln_request_set_working_directory(kiln_request* request, const char* directory);

/* "sm_90", "sm_90a", "compute_90", "gfx90a:xnack-", "x86-64-v3"; "host" is the processor of this machine, by
 * its name and features. What is no target becomes the result of kiln_compile(). */
KILN_API kiln_status kiln_request_set_target(kiln_request* request, const char* target);

/* "compute_80": PTX is generated for that and kept, and the cubin for the target is linked of it, so that the
 * next target of the same virtual architecture is linked and no more. Of CUDA, for the output cubin alone,
 * and not with options for code that is linked later ("-rdc=true", "-dlto"); the node needs an nvJitLink that
 * is not older than the NVRTC. The bytes are those of that link, which may differ from those of a compile in
 * one. "", the default: in one. What is no architecture becomes the result of kiln_compile(). */
KILN_API kiln_status kiln_request_set_virtual_architecture(kiln_request* request, const char* architecture);

/* A directory in which headers are looked for, behind those already added. "-I" among the options does the
 * same. */
KILN_API kiln_status kiln_request_add_include_directory(kiln_request* request, const char* directory);

/* An option for the compiler, verbatim, behind those already added: "--use_fast_math", "-DN=4". */
KILN_API kiln_status kiln_request_add_option(kiln_request* request, const char* option);

/* A header that exists in memory only, found under exactly `name`. */
KILN_API kiln_status kiln_request_add_header(kiln_request* request, const char* name, const char* content,
                                             size_t size);

/* PTX or LTO IR that is linked with the source, a KILN_PTX one, behind those already added; LTO IR needs the
 * option "-lto". Logs call it by `name`, and nothing else depends on that. */
KILN_API kiln_status kiln_request_add_input(kiln_request* request, const char* name, const char* content,
                                            size_t size);

/* A name expression ("scale<float>"), whose name in the binary is then in the result. */
KILN_API kiln_status kiln_request_add_name_expression(kiln_request* request, const char* expression);

/* An output that is wanted. By default machine code: a cubin for sm_ targets, an hsaco for gfx
 * targets, a shared object for processors; and PTX for compute_ targets. */
KILN_API kiln_status kiln_request_add_output(kiln_request* request, kiln_output_kind kind);

/* What time() tells the compiler, in seconds since 1970; 0 by default, so that outputs are reproducible. */
KILN_API kiln_status kiln_request_set_timestamp(kiln_request* request, uint64_t seconds);

/* "nvrtc 13.0", or "nvrtc" for the newest of that compiler; by default the newest toolchain of the node. With
 * a virtual architecture that which generates; what links follows from it. */
KILN_API kiln_status kiln_request_set_toolchain(kiln_request* request, const char* toolchain);

/* Which of several waiting compiles goes first. */
KILN_API kiln_status kiln_request_set_priority(kiln_request* request, kiln_priority priority);

/* How long the compiler may take, each of the two where there is a virtual architecture; 0, the default, and
 * anything longer than the daemon's own limit mean that limit. */
KILN_API kiln_status kiln_request_set_timeout_ms(kiln_request* request, uint32_t milliseconds);

/* ---- A result: what came of it ---- */

/* Gets what the compiler makes of `request`, from the daemon's store or by compiling it now, and blocks until
 * it is there. Calls of other threads on the same client go on meanwhile. Reads files that the compiler
 * includes.
 *
 * Returns the result's status. `*result` is set to a result to be freed with kiln_result_free(), whatever the
 * status, except that it is null if an argument was null (KILN_INVALID_REQUEST) or memory is short
 * (KILN_OUT_OF_MEMORY). `client` and `request` must not be changed or freed by another thread meanwhile. */
KILN_API kiln_status kiln_compile(kiln_client* client, const kiln_request* request, kiln_result** result);

KILN_API void kiln_result_free(kiln_result* result); /* null: does nothing */

/* KILN_OK if there are outputs; KILN_INVALID_REQUEST of null. */
KILN_API kiln_status kiln_result_status(const kiln_result* result);

/* What was tried, what went wrong and what to do; empty if the status is KILN_OK. */
KILN_API const char* kiln_result_message(const kiln_result* result);

/* All that the compiler wrote, warnings included, on hits too. `size`, which may be null, is set to its
 * length. */
KILN_API const char* kiln_result_log(const kiln_result* result, size_t* size);

KILN_API kiln_outcome kiln_result_outcome(const kiln_result* result);

/* Why it was not a hit, for a person; empty on a hit. */
KILN_API const char* kiln_result_miss_reason(const kiln_result* result);

/* Why the result is not kept for the next caller; empty if it is. */
KILN_API const char* kiln_result_not_remembered(const kiln_result* result);

/* The key of the entry in the daemon's store, in hexadecimal, with a virtual architecture of the link's;
 * empty if nothing was remembered. */
KILN_API const char* kiln_result_key(const kiln_result* result);

/* The toolchain that compiled it: "nvrtc 13.0"; where one generated and one linked, both: "nvrtc 13.0,
 * nvjitlink 13.0". */
KILN_API const char* kiln_result_toolchain(const kiln_result* result);

/* What the compile took when it was done, and what this call took altogether, in milliseconds. */
KILN_API double kiln_result_compile_ms(const kiln_result* result);
KILN_API double kiln_result_total_ms(const kiln_result* result);

/* The outputs, in order of kind. An index out of range gives 0 or nothing. */
KILN_API size_t kiln_result_output_count(const kiln_result* result);
KILN_API kiln_output_kind kiln_result_output_kind(const kiln_result* result, size_t index);
KILN_API const void* kiln_result_output_data(const kiln_result* result,
                                             size_t index); /* null if out of range */
KILN_API size_t kiln_result_output_size(const kiln_result* result, size_t index);
KILN_API const char* kiln_result_output_sha256(const kiln_result* result,
                                               size_t index); /* 64 hexadecimal digits */

/* The name that the binary has for a name expression of the request; empty if there is none. */
KILN_API const char* kiln_result_lowered_name(const kiln_result* result, const char* expression);
KILN_API size_t kiln_result_lowered_name_count(const kiln_result* result);
KILN_API const char* kiln_result_lowered_name_expression(const kiln_result* result, size_t index);
KILN_API const char* kiln_result_lowered_name_at(const kiln_result* result, size_t index);

/* The kernels of the machine code among the outputs, by their names there, and what each needs of the
 * machine: -1 for what the binary does not tell. If its metadata could not be read there are none, and the
 * problem says why; else that is empty. */
KILN_API size_t kiln_result_kernel_count(const kiln_result* result);
KILN_API const char* kiln_result_kernel_name(const kiln_result* result, size_t index);
KILN_API int64_t kiln_result_kernel_resource(const kiln_result* result, size_t index, kiln_resource resource);
KILN_API const char* kiln_result_resources_problem(const kiln_result* result);

/* The files that the compiler asked for. A path is told by what it is to the request: "<include
 * 0>/cub/cub.cuh",
 * "<source>/v.h", "<cwd>/v.h", or absolute. */
KILN_API size_t kiln_result_dependency_count(const kiln_result* result);
KILN_API const char* kiln_result_dependency_path(const kiln_result* result, size_t index);
KILN_API kiln_dependency_kind kiln_result_dependency_kind(const kiln_result* result, size_t index);
KILN_API const char* kiln_result_dependency_sha256(const kiln_result* result,
                                                   size_t index); /* empty if it has none */

/* ---- A module: what was compiled, loaded ---- */

/* Compiles `request` as kiln_compile() does, or gets it from the daemon's store, and loads it by `loader`,
 * which decides what output is asked for. Drivers are found at run time, by dlopen(); one that was found
 * stays. A binary that the driver refuses is reported to the daemon, which sets it aside, and is compiled and
 * loaded once more, which no other domain of the daemon notices.
 *
 * Returns KILN_OK, what kiln_compile() would, or one of KILN_DRIVER_UNAVAILABLE, KILN_BINARY_REFUSED and
 * KILN_BINARY_UNFIT. `*module` is set to a module to be freed with kiln_module_free(), whatever the status,
 * with the exceptions of kiln_compile(). Blocks as that does. */
KILN_API kiln_status kiln_load(kiln_client* client, const kiln_request* request, kiln_loader loader,
                               kiln_module** module);

/* Unloads it: no function of it may run any more. Null: does nothing. */
KILN_API void kiln_module_free(kiln_module* module);

KILN_API kiln_status kiln_module_status(const kiln_module* module); /* KILN_INVALID_REQUEST of null */
KILN_API const char* kiln_module_message(const kiln_module* module);

/* What came of the compile: log, resources, lowered names, outcome; null if the driver was not there, so that
 * nothing was asked for. It lives as long as the module, and must not be freed. */
KILN_API const kiln_result* kiln_module_result(const kiln_module* module);

/* What the driver calls the module; null unless it is loaded. */
KILN_API void* kiln_module_handle(const kiln_module* module);

/* Sets `*function` to what the driver calls the function of that name, which is its lowered name
 * (kiln_result_lowered_name()); it serves for as long as the module is loaded. Of the host it is an address,
 * to be cast to the function's own type: void (*saxpy)(float, const float*, float*, int64_t) = (void
 * (*)(float, const float*, float*, int64_t))function; Returns KILN_OK; KILN_NO_SUCH_KERNEL or
 * KILN_DRIVER_UNAVAILABLE, with `*function` null and the reason as the module's message; KILN_INVALID_REQUEST
 * if an argument is null or the module is not loaded. */
KILN_API kiln_status kiln_module_function(kiln_module* module, const char* name, void** function);

#ifdef __cplusplus
}
#endif

#endif /* KILN_KILN_H */
