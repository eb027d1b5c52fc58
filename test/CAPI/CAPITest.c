/*===- CAPITest.c - The C interface from C --------------------------------===*\
|*                                                                            *|
|* A program of one op, whose logits after token t are row t of its weight.   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#define _POSIX_C_SOURCE 200809L

#include "ssmq-c/SSMQ.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures = 0;
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      ++failures;                                                                                  \
      fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition,               \
              ssmqGetErrorMessage());                                                              \
    }                                                                                              \
  } while (0)

static const char text[] =
    "ml_program.global private @embed(#ml_program.extern : tensor<3x3xf32>) : tensor<3x3xf32>\n"
    "func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x3xf32> {\n"
    "  %embed = ml_program.global_load_const @embed : tensor<3x3xf32>\n"
    "  %logits = ssm.embedding %tokens, %embed {path = \"embed\"}\n"
    "    : (tensor<?xi32>, tensor<3x3xf32>) -> tensor<?x3xf32>\n"
    "  return %logits : tensor<?x3xf32>\n"
    "}\n";
static const float weight[9] = {0, 9, 0, 0, 0, 9, 9, 0, 0};

/* A checkpoint in a fresh directory. */
static void writeCheckpoint(char *directory, char *file) {
  static const char header[] =
      "{\"embed\":{\"dtype\":\"F32\",\"shape\":[3,3],\"data_offsets\":[0,36]}}";
  uint64_t size = strlen(header);
  FILE *out;
  CHECK(mkdtemp(directory) != NULL);
  sprintf(file, "%s/model.safetensors", directory);
  out = fopen(file, "wb");
  CHECK(out != NULL);
  fwrite(&size, 8, 1, out);
  fwrite(header, size, 1, out);
  fwrite(weight, sizeof(weight), 1, out);
  CHECK(fclose(out) == 0);
}

static void append(const char *data, size_t size, void *userData) {
  char *buffer = (char *)userData;
  size_t length = strlen(buffer);
  if (length + size < 4096)
    buffer[length + size] = 0, memcpy(buffer + length, data, size);
}

static void count(const char *data, size_t size, void *userData) {
  (void)data;
  *(size_t *)userData += size;
}

struct Tokens {
  int32_t values[8];
  int number;
};

/* Ends the text after token 2. */
static bool collect(int32_t token, void *userData) {
  struct Tokens *tokens = (struct Tokens *)userData;
  tokens->values[tokens->number++] = token;
  return token != 2;
}

static void testErrors(SsmqContext *context) {
  SsmqModule *module = NULL;
  CHECK(ssmqModuleParse(context, "func.func", 9, "x.mlir", &module) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "x.mlir") != NULL);
  CHECK(strchr(ssmqGetErrorMessage(), '\n') == NULL);
  CHECK(ssmqModuleParse(context, NULL, 0, "x.mlir", &module) == SSMQ_USAGE_ERROR);
  CHECK(ssmqModuleImportHuggingFace(context, "/nonexistent", &module) == SSMQ_INPUT_ERROR);
  CHECK(module == NULL);
  CHECK(ssmqAssign("{\"table\": \"/nonexistent\", \"budgets\": [\"4.5\"]}", NULL, NULL, NULL) ==
        SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "'4.5' has no unit") != NULL);
  CHECK(ssmqAssign("{\"table\": \"/nonexistent\", \"budgets\": [\"4.5bpw\"]}", "/nonexistent", NULL,
                   NULL) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "/nonexistent") != NULL);
  CHECK(ssmqAssign("{\"budget\": \"4.5bpw\"}", NULL, NULL, NULL) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "request: key 'budget' is not known") != NULL);
  CHECK(ssmqAssign(NULL, NULL, NULL, NULL) == SSMQ_USAGE_ERROR);
  CHECK(ssmqComputeFront("{}", 10, NULL, NULL) == SSMQ_USAGE_ERROR);
  const char *tables[] = {"/nonexistent"};
  CHECK(ssmqMergeTables(tables, 1, "/nonexistent") == SSMQ_INPUT_ERROR);
  CHECK(ssmqMergeTables(tables, 0, "/nonexistent") == SSMQ_USAGE_ERROR);
  char spelling[4096] = "";
  CHECK(ssmqFormatGetSpelling("int4:what", append, spelling) == SSMQ_INPUT_ERROR);
  CHECK(ssmqFormatGetSpelling("int4:g64", append, spelling) == SSMQ_OK);
  CHECK(strcmp(spelling, "i4 sym group=64") == 0);
}

static void testFormats(void) {
  SsmqValueLayout layout = {"weight", 1, 3, 0};
  const float values[3] = {1, -2, 7};
  float rounded[3] = {0, 0, 0};
  int64_t numBytes = 0;
  size_t size = 0;
  CHECK(ssmqFormatRound("int4:channel", &layout, values, rounded) == SSMQ_OK);
  CHECK(memcmp(values, rounded, sizeof(values)) == 0);
  CHECK(ssmqFormatGetNumBytes("int4:channel", &layout, &numBytes) == SSMQ_OK && numBytes == 4);
  CHECK(ssmqFormatGetNumBytes("int4:head", &layout, &numBytes) == SSMQ_INPUT_ERROR);
  CHECK(ssmqFormatRound("int4:channel", &layout, NULL, rounded) == SSMQ_USAGE_ERROR);
  CHECK(ssmqGetDefaultFormats("state", count, &size) == SSMQ_OK && size > 10);
  CHECK(ssmqGetDefaultFormats("states", count, &size) == SSMQ_INPUT_ERROR);
  layout.rows = INT64_MAX;
  CHECK(ssmqFormatRound("int4:channel", &layout, values, rounded) == SSMQ_INPUT_ERROR);
}

static void testModule(SsmqModule *module) {
  char before[4096] = "", after[4096] = "";
  size_t size = 0;
  CHECK(ssmqModulePrint(module, append, before) == SSMQ_OK);
  CHECK(strstr(before, "ssm.embedding") != NULL);
  CHECK(ssmqModuleWriteBytecode(module, count, &size) == SSMQ_OK);
  CHECK(size > 100);

  CHECK(ssmqModuleRunPipeline(module, "no-such-pass") == SSMQ_USAGE_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "no-such-pass") != NULL);
  /* The first pass erases @forward, which the failure of the second takes back. */
  CHECK(ssmqModuleRunPipeline(module, "builtin.module(symbol-privatize,symbol-dce,"
                                      "func.func(test-nothing-of-this-name))") != SSMQ_OK);
  CHECK(ssmqModulePrint(module, append, after) == SSMQ_OK);
  CHECK(strcmp(before, after) == 0);
  CHECK(ssmqModuleRunPipeline(module, "canonicalize") == SSMQ_OK);
  CHECK(ssmqModuleRunPipeline(module, "builtin.module(cse, func.func(canonicalize))") == SSMQ_OK);
}

/* The teacher's logits on file stand for the teacher. */
static void testTeacherCache(const SsmqProgram *program, const char *directory) {
  const int32_t tokens[3] = {0, 1, 2};
  char file[64];
  SsmqEvaluation evaluation;
  SsmqEvaluationOptions options = {3, 1, file, "first"};
  sprintf(file, "%s/teacher.safetensors", directory);
  CHECK(ssmqEvaluate(program, NULL, tokens, 3, &options, &evaluation) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "does not exist") != NULL);
  CHECK(ssmqEvaluate(program, program, tokens, 3, &options, &evaluation) == SSMQ_OK);
  CHECK(ssmqEvaluate(program, NULL, tokens, 3, &options, &evaluation) == SSMQ_OK);
  CHECK(evaluation.hasTeacher && evaluation.forwardKL.mean == 0);
  options.teacherIdentity = "second";
  CHECK(ssmqEvaluate(program, NULL, tokens, 3, &options, &evaluation) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "its teacher is 'first'") != NULL);
  options.teacherIdentity = NULL;
  CHECK(ssmqEvaluate(program, NULL, tokens, 3, &options, &evaluation) == SSMQ_OK);
  CHECK(remove(file) == 0);
}

static void testProgram(const SsmqProgram *program) {
  const int32_t tokens[3] = {0, 1, 2}, outside[1] = {3};
  float logits[9];
  SsmqState *state = NULL, *copy = NULL;
  struct Tokens generated = {{0}, 0};
  SsmqEvaluation evaluation;
  SsmqEvaluationOptions options = {3, 1, NULL, NULL};
  SsmqThroughput throughput;

  CHECK(ssmqProgramGetVocabSize(program) == 3);
  CHECK(ssmqStateCreate(program, -1, &state) == SSMQ_INPUT_ERROR);
  CHECK(ssmqStateCreate(program, 4, &state) == SSMQ_OK);
  CHECK(ssmqProgramForward(program, state, tokens, 3, logits) == SSMQ_OK);
  CHECK(memcmp(logits, weight, sizeof(weight)) == 0);
  CHECK(ssmqStateGetLength(state) == 3 && ssmqStateGetCapacity(state) == 4);
  CHECK(ssmqStateClone(state, &copy) == SSMQ_OK);
  CHECK(ssmqProgramForward(program, state, outside, 1, logits) == SSMQ_INPUT_ERROR);
  CHECK(ssmqProgramForward(program, state, tokens, 1, logits) == SSMQ_OK);
  CHECK(ssmqProgramForward(program, state, tokens, 1, logits) == SSMQ_INPUT_ERROR);
  CHECK(ssmqStateGetLength(state) == 4 && ssmqStateGetLength(copy) == 3);
  ssmqStateDestroy(state);
  state = NULL;
  CHECK(ssmqStateCreate(program, 3, &state) == SSMQ_OK);
  CHECK(ssmqProgramForwardLast(program, state, tokens, 3, logits) == SSMQ_OK);
  CHECK(memcmp(logits, weight + 6, 3 * sizeof(float)) == 0 && ssmqStateGetLength(state) == 3);
  CHECK(ssmqProgramForwardLast(program, state, tokens, 0, NULL) == SSMQ_OK);
  ssmqStateDestroy(state);
  ssmqStateDestroy(copy);

  CHECK(ssmqEvaluate(program, program, tokens, 3, &options, &evaluation) == SSMQ_OK);
  CHECK(evaluation.numScored == 2 && evaluation.hasTeacher);
  CHECK(fabs(evaluation.crossEntropy.mean - log1p(2 * exp(-9))) < 1e-6);
  CHECK(evaluation.forwardKL.mean == 0 && evaluation.sameTop1.mean == 1);
  CHECK(evaluation.perplexityRatio.mean == 1 && isnan(evaluation.forwardKL.standardError));
  CHECK(evaluation.forwardKLQuantiles[0].level == 1);
  CHECK(evaluation.probabilityChangeQuantiles[SSMQ_NUM_PROBABILITY_QUANTILES - 1].level == 0);
  CHECK(ssmqEvaluate(program, NULL, tokens, 1, &options, &evaluation) == SSMQ_INPUT_ERROR);
  CHECK(ssmqEvaluate(program, NULL, tokens, 3, NULL, &evaluation) == SSMQ_USAGE_ERROR);

  CHECK(ssmqGenerate(program, tokens, 1, 8, 0, 0, collect, &generated) == SSMQ_OK);
  CHECK(generated.number == 2 && generated.values[0] == 1 && generated.values[1] == 2);
  CHECK(ssmqGenerate(program, tokens, 1, 8, -1, 0, collect, &generated) == SSMQ_INPUT_ERROR);
  CHECK(ssmqBenchmark(program, tokens, 2, 2, 1, &throughput) == SSMQ_OK);
  CHECK(throughput.decode > 0);
}

/* A program on an OpenCL device, where the machine has one. */
static void testDevice(SsmqModule *module) {
  SsmqProgram *program = NULL;
  CHECK(ssmqProgramCompile(module, 1, NULL, "gpu", &program) == SSMQ_USAGE_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "take cpu, xe or xe:NUMBER") != NULL);
  CHECK(ssmqProgramCompile(module, 1, NULL, "xe:99", &program) == SSMQ_RESOURCE_ERROR);
  CHECK(strchr(ssmqGetErrorMessage(), '\n') == NULL && program == NULL);
  SsmqStatus status = ssmqProgramCompile(module, 1, NULL, "xe", &program);
  if (status == SSMQ_RESOURCE_ERROR)
    printf("skipped: %s\n", ssmqGetErrorMessage());
  else
    CHECK(status == SSMQ_OK);
  if (program)
    testProgram(program);
  ssmqProgramDestroy(program);
}

int main(void) {
  char directory[] = "/tmp/ssmq-capi-XXXXXX", file[64];
  SsmqContext *context = NULL;
  SsmqModule *module = NULL;
  SsmqProgram *program = NULL;
  writeCheckpoint(directory, file);

  CHECK(ssmqContextCreate(&context) == SSMQ_OK);
  testErrors(context);
  testFormats();
  CHECK(ssmqModuleParse(context, text, strlen(text), "text", &module) == SSMQ_OK);
  testModule(module);
  CHECK(ssmqProgramInterpret(module, SSMQ_KERNELS_FAST, 1, &program) == SSMQ_INPUT_ERROR);
  CHECK(strstr(ssmqGetErrorMessage(), "checkpoint") != NULL);
  CHECK(ssmqModuleSetCheckpoint(module, directory) == SSMQ_OK);
  CHECK(ssmqProgramInterpret(module, SSMQ_KERNELS_REFERENCE, 0, &program) == SSMQ_OK);
  testDevice(module);
  /* The program keeps what it needs. */
  ssmqModuleDestroy(module);
  ssmqContextDestroy(context);
  if (program) {
    testProgram(program);
    testTeacherCache(program, directory);
  }
  ssmqProgramDestroy(program);

  remove(file);
  rmdir(directory);
  return failures != 0;
}
