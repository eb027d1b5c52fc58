/* Runs a freestanding object named `model` on Linux without a C library: features of one sequence
 * from standard input, the logits after its last step to standard output. Two states are fed in
 * turn and share a workspace; the exit code is 1 when they differ. */
#include "model.h"

#if defined(__x86_64__)
static long call(long number, long a, const void *b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}
enum { READ = 0, WRITE = 1, EXIT = 60 };
#elif defined(__arm__)
static long call(long number, long a, const void *b, long c) {
  register long r7 __asm__("r7") = number;
  register long r0 __asm__("r0") = a;
  register const void *r1 __asm__("r1") = b;
  register long r2 __asm__("r2") = c;
  __asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
  return r0;
}
enum { READ = 3, WRITE = 4, EXIT = 1 };
#endif

enum { INPUTS = MODEL_STEPS * MODEL_FEATURES, LOGITS = MODEL_ROWS * MODEL_CLASSES };

static model_state states[2];
static model_workspace workspace;
static float inputs[INPUTS], logits[2][LOGITS];

/* All of the inputs of a step; 0 at the end of the sequence. */
static int read_inputs(void) {
  unsigned have = 0;
  while (have < sizeof(inputs)) {
    long got = call(READ, 0, (char *)inputs + have, sizeof(inputs) - have);
    if (got <= 0)
      return 0;
    have += got;
  }
  return 1;
}

static int run(void) {
  for (int i = 0; i < 2; ++i) {
    for (unsigned byte = 0; byte < sizeof(states[i]); ++byte)
      states[i].bytes[byte] = 0xff;
    model_init(&states[i]);
  }
  while (read_inputs())
    for (int i = 0; i < 2; ++i)
      model_step(&states[i], &workspace, inputs, logits[i]);
  for (int i = 0; i < LOGITS; ++i)
    if (logits[0][i] != logits[1][i])
      return 1;
  return call(WRITE, 1, logits[0], sizeof(logits[0])) != sizeof(logits[0]);
}

#if defined(__x86_64__)
/* The stack is aligned to 16 bytes before a call. */
__asm__(".globl _start\n_start: andq $-16, %rsp\n call start\n");
#else
__asm__(".globl _start\n.thumb_func\n_start: bl start\n");
#endif
void start(void) {
  call(EXIT, run(), 0, 0);
}
