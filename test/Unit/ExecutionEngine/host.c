/* Feeds the tokens 1 4 0 2 of two programs in one executable and prints the logits. */
#include "first.h"
#include "second.h"
#include <stdio.h>

static int fail(int status) {
  fprintf(stderr, "%s\n", first_status_message(status));
  return 1;
}

int main(void) {
  const int32_t tokens[] = {1, 4, 0, 2};
  const int32_t bad[] = {1, FIRST_VOCAB_SIZE};
  float logits[4 * FIRST_VOCAB_SIZE];
  first_state *state = NULL;
  second_state *other = NULL;
  int status = first_state_create(4, &state);
  if (status || (status = second_state_create(4, &other)))
    return fail(status);

  if (first_vocab_size() != FIRST_VOCAB_SIZE || first_state_capacity(state) != 4)
    return fail(FIRST_OK);
  if (first_forward(state, bad, 2, logits) != FIRST_INVALID_TOKEN ||
      first_forward(state, NULL, 1, logits) != FIRST_INVALID_ARGUMENT ||
      first_forward(NULL, tokens, 1, logits) != FIRST_INVALID_ARGUMENT ||
      first_forward(state, tokens, 0, logits) != FIRST_OK || first_state_length(state) != 0)
    return fail(FIRST_INVALID_TOKEN);
  if (first_state_create(-1, &state) != FIRST_INVALID_ARGUMENT || state != NULL ||
      first_state_create(INT64_MAX, &state) != FIRST_OUT_OF_MEMORY || state != NULL)
    return fail(FIRST_OUT_OF_MEMORY);

  status = first_state_create(4, &state);
  if (status || (status = first_forward(state, tokens, 4, logits)))
    return fail(status);
  /* The module has no entry of its own for this. */
  float last[FIRST_VOCAB_SIZE];
  first_state_reset(state);
  if ((status = first_forward_last(state, tokens, 4, last)))
    return fail(status);
  for (int i = 0; i < FIRST_VOCAB_SIZE; ++i)
    if (last[i] != logits[3 * FIRST_VOCAB_SIZE + i])
      return fail(FIRST_OK);
  first_state_reset(state);
  if ((status = first_forward(state, tokens, 3, logits)) ||
      (status = first_forward(state, tokens + 3, 1, logits + 3 * FIRST_VOCAB_SIZE)))
    return fail(status);
  if (first_forward(state, tokens, 1, logits) != FIRST_CAPACITY_EXCEEDED ||
      first_state_length(state) != 4)
    return fail(FIRST_CAPACITY_EXCEEDED);
  for (int i = 0; i < 4 * FIRST_VOCAB_SIZE; ++i)
    printf("%.9g\n", logits[i]);

  if ((status = second_forward(other, tokens, 1, logits)))
    return fail(status);
  for (int i = 0; i < SECOND_VOCAB_SIZE; ++i)
    printf("%.9g\n", logits[i]);
  first_state_destroy(state);
  first_state_destroy(NULL);
  second_state_destroy(other);
  return 0;
}
