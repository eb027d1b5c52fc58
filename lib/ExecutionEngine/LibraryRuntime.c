/*===- LibraryRuntime.c - The C interface of a compiled program ----------------===
 *
 * Compiled to LLVM IR when ssmq is built and linked into each library that it emits, where
 * `ssmq_library_` becomes the name of the program. CHeader.cpp documents the interface.
 *
 *===---------------------------------------------------------------------------===*/

#include "LibraryMemory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is known of a state; a dimension of -1 is the capacity. Defined by the emitter. */
struct layout {
  int64_t element_bytes, rank;
  const int64_t *dims;
};
extern const int64_t ssmq_library_vocab, ssmq_library_num_ids, ssmq_library_num_states;
extern const struct layout ssmq_library_layouts[];
/* The files of the weights and where in them each weight lies; none when weights are embedded. The
 * checksum is FNV-1a (64 bits) of the first `head_bytes`, which hold the names and places of all
 * tensors. */
struct file {
  const char *name;
  int64_t num_bytes, head_bytes;
  uint64_t checksum;
};
struct place {
  int64_t file, offset;
};
extern const int64_t ssmq_library_num_files;
extern const struct file ssmq_library_files[];
extern const struct place ssmq_library_places[];
/* Call the program with an array of descriptors: tokens, states, logits. Prefill writes one row of
 * logits; without one it is the same as forward. */
extern const int64_t ssmq_library_has_prefill;
void ssmq_library_invoke_forward(void *const *descriptors);
void ssmq_library_invoke_decode(void *const *descriptors);
void ssmq_library_invoke_prefill(void *const *descriptors);

static int64_t descriptor_words(int64_t rank) { return SIZES + 2 * rank; }

struct state {
  int64_t capacity, length, num_bytes;
  /* Bytes of all states, in one block. */
  void *values;
  int64_t tokens[SIZES + 2], logits[SIZES + 4];
  /* Of tokens, states and logits. */
  void **descriptors;
};

/* The bytes of a state, rounded up so that the next one is aligned; -1 when they overflow. */
static int64_t state_bytes(const struct layout *layout, int64_t capacity) {
  int64_t bytes = layout->element_bytes;
  for (int64_t i = 0; i < layout->rank; ++i)
    if (__builtin_mul_overflow(bytes, layout->dims[i] < 0 ? capacity : layout->dims[i], &bytes))
      return -1;
  if (__builtin_add_overflow(bytes, 63, &bytes))
    return -1;
  return bytes & ~(int64_t)63;
}

int64_t ssmq_library_vocab_size(void) { return ssmq_library_vocab; }

void ssmq_library_state_destroy(struct state *state) {
  if (!state)
    return;
  ssmq_memory_free(state->values);
  free(state->descriptors);
  free(state);
}

int ssmq_library_state_create(int64_t capacity, struct state **result) {
  if (!result)
    return INVALID_ARGUMENT;
  *result = NULL;
  if (capacity < 0)
    return INVALID_ARGUMENT;
  int64_t num_bytes = 0, num_words = 0;
  for (int64_t i = 0; i < ssmq_library_num_states; ++i) {
    int64_t bytes = state_bytes(&ssmq_library_layouts[i], capacity);
    if (bytes < 0 || __builtin_add_overflow(num_bytes, bytes, &num_bytes))
      return OUT_OF_MEMORY;
    num_words += descriptor_words(ssmq_library_layouts[i].rank);
  }

  struct state *state = calloc(1, sizeof(*state));
  if (!state)
    return OUT_OF_MEMORY;
  state->capacity = capacity;
  state->num_bytes = num_bytes;
  int status = ssmq_memory_allocate(num_bytes, &state->values);
  if (status != OK) {
    free(state);
    return status;
  }
  /* The pointers, then the words of the states' descriptors. */
  state->descriptors = calloc(ssmq_library_num_states + 2 + num_words, sizeof(int64_t));
  if (!state->descriptors) {
    ssmq_library_state_destroy(state);
    return OUT_OF_MEMORY;
  }

  int64_t *words = (int64_t *)(state->descriptors + ssmq_library_num_states + 2);
  char *value = (char *)state->values;
  for (int64_t i = 0; i < ssmq_library_num_states; ++i) {
    const struct layout *layout = &ssmq_library_layouts[i];
    state->descriptors[i + 1] = words;
    set_data(words, value);
    int64_t stride = 1;
    for (int64_t d = layout->rank; d-- > 0;) {
      words[SIZES + d] = layout->dims[d] < 0 ? capacity : layout->dims[d];
      words[SIZES + layout->rank + d] = stride;
      stride *= words[SIZES + d];
    }
    words += descriptor_words(layout->rank);
    value += state_bytes(layout, capacity);
  }
  state->tokens[SIZES + 1] = 1;
  state->descriptors[0] = state->tokens;
  state->logits[SIZES + 1] = state->logits[SIZES + 2] = ssmq_library_vocab;
  state->logits[SIZES + 3] = 1;
  state->descriptors[ssmq_library_num_states + 1] = state->logits;
  *result = state;
  return OK;
}

void ssmq_library_state_reset(struct state *state) {
  if (!state)
    return;
  ssmq_memory_clear(state->values, state->num_bytes);
  state->length = 0;
}

int64_t ssmq_library_state_capacity(const struct state *state) {
  return state ? state->capacity : 0;
}

int64_t ssmq_library_state_length(const struct state *state) { return state ? state->length : 0; }

static int map_file(const char *folder, const struct file *file, const char **data) {
  size_t length = strlen(folder) + strlen(file->name) + 2;
  char *path = malloc(length);
  if (!path)
    return OUT_OF_MEMORY;
  strcpy(path, folder);
  strcat(path, "/");
  strcat(path, file->name);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  free(path);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (descriptor >= 0)
      close(descriptor);
    return CANNOT_READ_WEIGHTS;
  }
  if (status.st_size != file->num_bytes) {
    close(descriptor);
    return OTHER_WEIGHTS;
  }
  void *mapped = mmap(NULL, file->num_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (mapped == MAP_FAILED)
    return CANNOT_READ_WEIGHTS;
  *data = mapped;
  uint64_t checksum = UINT64_C(0xcbf29ce484222325);
  for (int64_t i = 0; i < file->head_bytes; ++i)
    checksum = (checksum ^ (unsigned char)(*data)[i]) * UINT64_C(0x100000001b3);
  if (checksum == file->checksum)
    return OK;
  munmap(mapped, file->num_bytes);
  *data = NULL;
  return OTHER_WEIGHTS;
}

int ssmq_library_load_weights(const char *folder) {
  if (!folder)
    return INVALID_ARGUMENT;
  const char **data = calloc(ssmq_library_num_files, sizeof(*data));
  if (!data)
    return OUT_OF_MEMORY;
  int status = OK;
  for (int64_t i = 0; i < ssmq_library_num_files && status == OK; ++i)
    status = map_file(folder, &ssmq_library_files[i], &data[i]);
  for (int64_t i = 0; i < ssmq_library_num_files && status != OK; ++i)
    if (data[i])
      munmap((void *)data[i], ssmq_library_files[i].num_bytes);
  for (int64_t i = 0; i < ssmq_library_num_weights && status == OK; ++i)
    ssmq_library_weights[i] = data[ssmq_library_places[i].file] + ssmq_library_places[i].offset;
  free(data);
  return status;
}

static int check_feed(const struct state *state, const int32_t *tokens, int64_t n,
                      const float *logits) {
  if (!state || n < 0 || (n > 0 && (!tokens || !logits)))
    return INVALID_ARGUMENT;
  if (n > state->capacity - state->length)
    return CAPACITY_EXCEEDED;
  for (int64_t i = 0; i < n; ++i)
    if (tokens[i] < 0 || tokens[i] >= ssmq_library_num_ids)
      return INVALID_TOKEN;
  if (ssmq_library_num_weights && !ssmq_library_weights[0])
    return NO_WEIGHTS;
  return OK;
}

static int feed(struct state *state, const int32_t *tokens, int64_t n, float *logits, int64_t rows,
                void (*invoke)(void *const *)) {
  struct call call = {invoke,
                      state->descriptors,
                      state->tokens,
                      state->logits,
                      tokens,
                      logits,
                      n * (int64_t)sizeof(*tokens),
                      rows * ssmq_library_vocab * (int64_t)sizeof(*logits)};
  state->tokens[SIZES] = n;
  state->logits[SIZES] = rows;
  int status = ssmq_memory_run(&call);
  if (status == OK)
    state->length += n;
  return status;
}

int ssmq_library_forward(struct state *state, const int32_t *tokens, int64_t n, float *logits) {
  int status = check_feed(state, tokens, n, logits);
  if (status != OK || n == 0)
    return status;
  return feed(state, tokens, n, logits, n,
              n == 1 ? ssmq_library_invoke_decode : ssmq_library_invoke_forward);
}

int ssmq_library_forward_last(struct state *state, const int32_t *tokens, int64_t n,
                              float *logits) {
  if (n == 1)
    return ssmq_library_forward(state, tokens, n, logits);
  int status = check_feed(state, tokens, n, logits);
  if (status != OK || n == 0)
    return status;
  if (ssmq_library_has_prefill)
    return feed(state, tokens, n, logits, 1, ssmq_library_invoke_prefill);
  int64_t num_bytes;
  float *all = NULL;
  if (!__builtin_mul_overflow(n, ssmq_library_vocab * (int64_t)sizeof(float), &num_bytes))
    all = malloc(num_bytes);
  if (!all)
    return OUT_OF_MEMORY;
  status = feed(state, tokens, n, all, n, ssmq_library_invoke_forward);
  if (status == OK)
    memcpy(logits, all + (n - 1) * ssmq_library_vocab, ssmq_library_vocab * sizeof(float));
  free(all);
  return status;
}

const char *ssmq_library_status_message(int status) {
  switch (status) {
  case OK:
    return "ok";
  case INVALID_ARGUMENT:
    return "an argument is null or negative";
  case INVALID_TOKEN:
    return "a token is outside the vocabulary";
  case CAPACITY_EXCEEDED:
    return "the tokens do not fit the capacity of the state";
  case OUT_OF_MEMORY:
    return "out of memory";
  case CANNOT_READ_WEIGHTS:
    return "a file of the weights cannot be read";
  case OTHER_WEIGHTS:
    return "a file of the weights is not the one that the program was compiled with";
  case NO_WEIGHTS:
    return "the weights are not loaded";
  case NO_DEVICE:
    return "there is no OpenCL device that runs the program";
  case DEVICE_FAILED:
    return "the OpenCL device failed";
  default:
    return "unknown status";
  }
}
