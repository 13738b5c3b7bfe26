/* Compiles a CUDA kernel through kiln and writes the cubin: compile FILE.cu TARGET OUT.cubin */
#include <kiln/kiln.h>
#include <stdio.h>
#include <stdlib.h>

static char* readFile(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  size_t capacity = 1 << 20;
  char* content = malloc(capacity);
  *size = 0;
  while (content != NULL) {
    *size += fread(content + *size, 1, capacity - *size, file);
    if (*size < capacity) break;
    capacity *= 2;
    char* larger = realloc(content, capacity);
    if (larger == NULL) free(content);
    content = larger;
  }
  fclose(file);
  return content;
}

static int writeFile(const char* path, const void* data, size_t size) {
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 0;
  size_t written = fwrite(data, 1, size, file);
  return fclose(file) == 0 && written == size;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: compile FILE.cu TARGET OUT.cubin\n");
    return 2;
  }
  size_t size = 0;
  char* source = readFile(argv[1], &size);
  if (source == NULL) {
    fprintf(stderr, "compile: cannot read %s\n", argv[1]);
    return 2;
  }

  kiln_client* client = kiln_client_new(NULL);
  kiln_request* request = kiln_request_new();
  kiln_request_set_source(request, source, size);
  kiln_request_set_source_name(request, argv[1]);
  kiln_request_set_target(request, argv[2]);

  kiln_result* result = NULL;
  kiln_status status = kiln_compile(client, request, &result);
  int done = 0;
  if (status == KILN_OK) {
    done = writeFile(argv[3], kiln_result_output_data(result, 0), kiln_result_output_size(result, 0));
    if (!done) fprintf(stderr, "compile: cannot write %s\n", argv[3]);
    printf("%s: %zu bytes by %s, SHA-256 %s\n", kiln_result_outcome(result) == KILN_HIT ? "hit" : "miss",
           kiln_result_output_size(result, 0), kiln_result_toolchain(result),
           kiln_result_output_sha256(result, 0));
  } else {
    fprintf(stderr, "compile: %s: %s\n%s", kiln_status_name(status), kiln_result_message(result),
            kiln_result_log(result, NULL));
  }

  kiln_result_free(result);
  kiln_request_free(request);
  kiln_client_free(client);
  free(source);
  return done ? 0 : 1;
}
