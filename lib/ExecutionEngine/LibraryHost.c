/*===- LibraryHost.c - A library whose program runs on the CPU -----------------===*/

#include "LibraryMemory.h"

#include <stdlib.h>
#include <string.h>

int ssmq_memory_allocate(int64_t bytes, void **memory) {
  if (posix_memalign(memory, 64, bytes ? bytes : 64) != 0)
    return OUT_OF_MEMORY;
  memset(*memory, 0, bytes);
  return OK;
}

void ssmq_memory_free(void *memory) { free(memory); }

void ssmq_memory_clear(void *memory, int64_t bytes) { memset(memory, 0, bytes); }

int ssmq_memory_run(const struct call *call) {
  set_data(call->tokens_descriptor, call->tokens);
  set_data(call->logits_descriptor, call->logits);
  call->invoke(call->descriptors);
  return OK;
}
