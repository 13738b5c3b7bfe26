/* Compiles a kernel for this machine's processor through kiln, loads it and calls it, in C:
 *     load ../kernels/saxpy.ll
 * For a GPU the loader is KILN_LOADER_CUDA_MODULE or KILN_LOADER_HIP_MODULE, and the function a CUfunction or
 * a hipFunction_t to be launched. */
#include <kiln/kiln.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef void SaxpyFunction(float a, const float* x, float* y, int64_t n);

/* Ends the program where the file cannot be read. */
static char* readFile(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* text = NULL;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
    long length = ftell(file);
    rewind(file);
    text = length >= 0 ? malloc((size_t)length + 1) : NULL;
    *size = text != NULL ? fread(text, 1, (size_t)length, file) : 0;
  }
  if (file != NULL) fclose(file);
  if (text == NULL) {
    fprintf(stderr, "load: cannot read %s\n", path);
    exit(2);
  }
  return text;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: load FILE.ll\n");
    return 2;
  }
  size_t size = 0;
  char* source = readFile(argv[1], &size);
  kiln_client* client = kiln_client_new(NULL);
  kiln_request* request = kiln_request_new();
  kiln_request_set_source(request, source, size);
  kiln_request_set_language(request, KILN_LLVM_IR);
  kiln_request_set_source_name(request, argv[1]);
  kiln_request_set_target(request, "host");

  int status = 1;
  void* function = NULL;
  kiln_module* module = NULL;
  if (kiln_load(client, request, KILN_LOADER_HOST, &module) == KILN_OK &&
      kiln_module_function(module, "saxpy", &function) == KILN_OK) {
    const float x[4] = {1, 2, 3, 4};
    float y[4] = {10, 20, 30, 40};
    SaxpyFunction* saxpy = (SaxpyFunction*)function;
    saxpy(2, x, y, 4);
    printf("%g %g %g %g\n", y[0], y[1], y[2], y[3]);
    status = 0;
  } else {
    fprintf(stderr, "load: %s\n", kiln_module_message(module));
  }
  kiln_module_free(module);
  kiln_request_free(request);
  kiln_client_free(client);
  free(source);
  return status;
}
