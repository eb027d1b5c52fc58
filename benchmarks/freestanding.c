/* Feeds sequences to a freestanding object named `model`, on a host with a C library:
 *     program FILE STEPS < features of one sequence after another, f32
 * FILE gets the logits after the last step of each; a line of standard output a sequence has its
 * nanoseconds on the clock of the process, which stops where others have the core. */
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { INPUTS = MODEL_STEPS * MODEL_FEATURES, LOGITS = MODEL_ROWS * MODEL_CLASSES };

static model_state state;
static model_workspace workspace;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 3)
    return 2;
  size_t steps = atoi(arguments[2]);
  float *inputs = malloc(steps * INPUTS * sizeof(float)), logits[LOGITS];
  FILE *file = fopen(arguments[1], "wb");
  if (!inputs || !file)
    return 1;
  while (fread(inputs, INPUTS * sizeof(float), steps, stdin) == steps) {
    long long begin = now();
    model_init(&state);
    for (size_t t = 0; t < steps; ++t)
      model_step(&state, &workspace, inputs + t * INPUTS, logits);
    printf("%lld\n", now() - begin);
    if (fwrite(logits, sizeof(logits), 1, file) != 1)
      return 1;
  }
  return fclose(file);
}
