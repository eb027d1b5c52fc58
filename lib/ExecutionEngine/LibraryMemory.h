/*===- LibraryMemory.h - Where an emitted library keeps its numbers ------------===
 *
 * Defined by LibraryHost.c for programs of the CPU and by LibraryOpenCL.c for those of Xe GPUs.
 * What can fail returns a status.
 *
 *===---------------------------------------------------------------------------===*/

#ifndef SSMQ_LIB_EXECUTIONENGINE_LIBRARYMEMORY_H
#define SSMQ_LIB_EXECUTIONENGINE_LIBRARYMEMORY_H

#include <stdint.h>

enum {
  OK,
  INVALID_ARGUMENT,
  INVALID_TOKEN,
  CAPACITY_EXCEEDED,
  OUT_OF_MEMORY,
  CANNOT_READ_WEIGHTS,
  OTHER_WEIGHTS,
  NO_WEIGHTS,
  NO_DEVICE,
  DEVICE_FAILED
};

/* Of the program, defined by the emitter: the addresses of the weights as compiled code reads them,
 * and, of a program for a device, their sizes. Null are weights that are not loaded. */
extern const int64_t ssmq_library_num_weights;
extern const char *ssmq_library_weights[];

/* Aligned to 64 bytes and zeroed. */
int ssmq_memory_allocate(int64_t bytes, void **memory);
void ssmq_memory_free(void *memory);
void ssmq_memory_clear(void *memory, int64_t bytes);

/* A call of the program: tokens that it reads and logits that it writes, both of the host. */
struct call {
  void (*invoke)(void *const *descriptors);
  /* Of the tokens, the states and the logits. */
  void *const *descriptors;
  int64_t *tokens_descriptor, *logits_descriptor;
  const void *tokens;
  void *logits;
  int64_t token_bytes, logit_bytes;
};
int ssmq_memory_run(const struct call *call);

/* A memref descriptor is {allocated, aligned, offset, sizes[rank], strides[rank]}. */
enum { ALIGNED = 1, SIZES = 3 };
static inline void set_data(int64_t *descriptor, const void *data) {
  descriptor[0] = descriptor[ALIGNED] = (int64_t)(intptr_t)data;
}

#endif /* SSMQ_LIB_EXECUTIONENGINE_LIBRARYMEMORY_H */
