/*===- SSMQ.h - The C interface of ssmq ----------------------------*- C -*-===*\
|*                                                                            *|
|* From a checkpoint to text in C99: import, pass pipelines, programs, their  *|
|* measurement.                                                               *|
|*                                                                            *|
|* Errors. A function that can fail returns a status; when it is not SSMQ_OK, *|
|* ssmqGetErrorMessage() gives one line about it on the same thread, and      *|
|* results are not written. No call ends the process over bad data.           *|
|*                                                                            *|
|* Ownership. A handle from a Create, Import, Parse or Clone function is the  *|
|* caller's, who ends it with the Destroy function of its type (NULL is       *|
|* allowed). A handle keeps alive what it was made from, so the order of      *|
|* destruction is free. Arguments are borrowed for the call.                  *|
|*                                                                            *|
|* Threads. Any thread may use any handle: calls on one module or one state   *|
|* wait for each other; a program can be fed from many threads at once, each  *|
|* with a state of its own. A handle is destroyed while nobody uses it.       *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef SSMQ_C_SSMQ_H
#define SSMQ_C_SSMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSMQ_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/** Also the exit codes of the tools. */
typedef enum SsmqStatus {
  SSMQ_OK = 0,
  /** A file, a text, a model or an array says something that cannot be used. */
  SSMQ_INPUT_ERROR = 1,
  /** The call itself is wrong: a null pointer, an unknown option or pass. */
  SSMQ_USAGE_ERROR = 2,
  /** Out of memory, disk space or files; no device, or a driver that fails. */
  SSMQ_RESOURCE_ERROR = 3,
  /** A defect of ssmq. */
  SSMQ_INTERNAL_ERROR = 70
} SsmqStatus;

/** One line, no line break, UTF-8. Valid until the next call of this thread that fails. */
SSMQ_EXPORT const char *ssmqGetErrorMessage(void);

/** Takes `size` bytes at `data`, which are valid during the call only. */
typedef void (*SsmqBytesCallback)(const char *data, size_t size, void *userData);

/*===-- Context -----------------------------------------------------------===*/

/** Knows all dialects and passes. Modules of one context are worked on one at a time. */
typedef struct SsmqContext SsmqContext;

SSMQ_EXPORT SsmqStatus ssmqContextCreate(SsmqContext **context);
SSMQ_EXPORT void ssmqContextDestroy(SsmqContext *context);

/*===-- Module ------------------------------------------------------------===*/

/** An MLIR module. Its weights stay in a checkpoint, a directory of .safetensors that it names. */
typedef struct SsmqModule SsmqModule;

/** Imports a Hugging Face directory: config.json and one or many .safetensors. */
SSMQ_EXPORT SsmqStatus ssmqModuleImportHuggingFace(SsmqContext *context, const char *directory,
                                                   SsmqModule **module);
/** Parses MLIR text or bytecode; `name` stands for the source in messages. */
SSMQ_EXPORT SsmqStatus ssmqModuleParse(SsmqContext *context, const char *data, size_t size,
                                       const char *name, SsmqModule **module);
SSMQ_EXPORT SsmqStatus ssmqModuleClone(SsmqModule *module, SsmqModule **clone);
SSMQ_EXPORT void ssmqModuleDestroy(SsmqModule *module);

/** Names another checkpoint, as after files have been moved: a directory or a .safetensors file. */
SSMQ_EXPORT SsmqStatus ssmqModuleSetCheckpoint(SsmqModule *module, const char *path);

/** Runs passes as mlir-opt's --pass-pipeline: "builtin.module(a,b{x=1})", or only "a,b{x=1}".
 *  When it fails, the module is as before. */
SSMQ_EXPORT SsmqStatus ssmqModuleRunPipeline(SsmqModule *module, const char *pipeline);

SSMQ_EXPORT SsmqStatus ssmqModulePrint(SsmqModule *module, SsmqBytesCallback callback,
                                       void *userData);
SSMQ_EXPORT SsmqStatus ssmqModuleWriteBytecode(SsmqModule *module, SsmqBytesCallback callback,
                                               void *userData);

/*===-- Program and state -------------------------------------------------===*/

/** A module bound to the weights of a checkpoint; later changes of the module do not reach it. */
typedef struct SsmqProgram SsmqProgram;

/** The states of one sequence. */
typedef struct SsmqState SsmqState;

typedef enum SsmqKernels {
  /** Plain loops with double accumulation. */
  SSMQ_KERNELS_REFERENCE = 0,
  /** Vectorised and threaded. */
  SSMQ_KERNELS_FAST = 1
} SsmqKernels;

/** Interprets a module of the ssm dialect; 0 threads stand for all cores. */
SSMQ_EXPORT SsmqStatus ssmqProgramInterpret(SsmqModule *module, SsmqKernels kernels,
                                            unsigned threads, SsmqProgram **program);
/** Lowers a module of the ssm dialect and compiles it in memory. `target` is a processor as -march
 *  of clang takes it, whose features the host must have; NULL and "" stand for the host. `device`
 *  is what runs it: "cpu", or an OpenCL device: "xe" (the first GPU that can, else the first CPU)
 *  or "xe:N" (number N of ssmqListDevices); NULL and "" stand for "cpu". */
SSMQ_EXPORT SsmqStatus ssmqProgramCompile(SsmqModule *module, unsigned threads, const char *target,
                                          const char *device, SsmqProgram **program);
SSMQ_EXPORT void ssmqProgramDestroy(SsmqProgram *program);
/** Columns of the logits: tokens of the vocabulary, or classes. */
SSMQ_EXPORT int64_t ssmqProgramGetVocabSize(const SsmqProgram *program);
/** Features of a step; 0 for programs that read tokens. */
SSMQ_EXPORT int64_t ssmqProgramGetNumFeatures(const SsmqProgram *program);
/** Rows of logits that so many steps give: one each, or of a classifier one for all. */
SSMQ_EXPORT int64_t ssmqProgramGetNumRows(const SsmqProgram *program, int64_t numSteps);

/** The state before the first token, with room for `capacity` tokens. */
SSMQ_EXPORT SsmqStatus ssmqStateCreate(const SsmqProgram *program, int64_t capacity,
                                       SsmqState **state);
SSMQ_EXPORT SsmqStatus ssmqStateClone(SsmqState *state, SsmqState **clone);
SSMQ_EXPORT void ssmqStateDestroy(SsmqState *state);
/** Tokens fed so far. */
SSMQ_EXPORT int64_t ssmqStateGetLength(SsmqState *state);
SSMQ_EXPORT int64_t ssmqStateGetCapacity(SsmqState *state);

/** Feeds tokens, each in [0, vocabulary), and advances the state. Writes logits
 *  [numTokens][vocabulary], the ones after each token. When it fails, the state is as before. */
SSMQ_EXPORT SsmqStatus ssmqProgramForward(const SsmqProgram *program, SsmqState *state,
                                          const int32_t *tokens, size_t numTokens, float *logits);
/** The same, but writes only the logits [vocabulary] after the last token, which takes less work:
 *  what the prompt of a generation needs. Writes nothing when there are no tokens. */
SSMQ_EXPORT SsmqStatus ssmqProgramForwardLast(const SsmqProgram *program, SsmqState *state,
                                              const int32_t *tokens, size_t numTokens,
                                              float *logits);

/** Feeds features [numSteps][features], and advances the state. Writes logits [rows][vocabulary].
 */
SSMQ_EXPORT SsmqStatus ssmqProgramForwardFeatures(const SsmqProgram *program, SsmqState *state,
                                                  const float *features, size_t numSteps,
                                                  float *logits);

/*===-- Measurement -------------------------------------------------------===*/

typedef struct SsmqEstimate {
  double mean;
  /** NaN for one sequence. */
  double standardError;
} SsmqEstimate;

/** The value below which a share of all positions lies: `level` 0 is the smallest, 1 the largest.
 */
typedef struct SsmqQuantile {
  double level;
  SsmqEstimate value;
} SsmqQuantile;

enum { SSMQ_NUM_DIVERGENCE_QUANTILES = 11, SSMQ_NUM_PROBABILITY_QUANTILES = 13 };

/** In nats a token; p is the teacher and q the student, a change is the student's value less the
 *  teacher's. Errors are over sequences. ssmq/Measure/DivergenceSummary.h and Distribution.h have
 *  the definitions. */
typedef struct SsmqEvaluation {
  int64_t numSequences;
  /** All positions but the first of each sequence. */
  int64_t numScored;
  SsmqEstimate crossEntropy;
  SsmqEstimate perplexity;
  /** Share of positions whose true token, or class, the student puts first. */
  SsmqEstimate accuracy;
  /** The fields below are zero without a teacher. */
  bool hasTeacher;
  SsmqEstimate teacherPerplexity;
  /** The student's over the teacher's. */
  SsmqEstimate perplexityRatio;
  SsmqEstimate perplexityChange;
  SsmqEstimate crossEntropyChange;
  /** Of the cross-entropies of a position. */
  SsmqEstimate crossEntropyCorrelation;
  /** KL(p||q) and KL(q||p). */
  SsmqEstimate forwardKL, reverseKL;
  /** Of logits, and the ratio of their squares to it in decibels. */
  SsmqEstimate meanSquaredError, signalToNoise;
  /** Of the true token's probability: the mean, and the root of the mean square. */
  SsmqEstimate probabilityChange, rmsProbabilityChange;
  /** Share of positions where both put the same token first. */
  SsmqEstimate sameTop1;
  SsmqEstimate accuracyChange;
  /** Of KL(p||q) and of the change of the true token's probability, the highest first. */
  SsmqQuantile forwardKLQuantiles[SSMQ_NUM_DIVERGENCE_QUANTILES];
  SsmqQuantile probabilityChangeQuantiles[SSMQ_NUM_PROBABILITY_QUANTILES];
} SsmqEvaluation;

typedef struct SsmqEvaluationOptions {
  /** Tokens of a sequence, 2 or more. */
  int64_t sequenceLength;
  /** Sequences at a time. */
  unsigned threads;
  /** NULL, or a safetensors file of the teacher's logits. When it exists, it is read instead of
   *  running the teacher, who may then be NULL; else it is written first. */
  const char *teacherCache;
  /** Stored in that file and compared when it is read: names the teacher, as a hash of its weights
   *  does. NULL takes the logits of any. */
  const char *teacherIdentity;
} SsmqEvaluationOptions;

/** Scores a text cut into sequences; the teacher may be NULL. */
SSMQ_EXPORT SsmqStatus ssmqEvaluate(const SsmqProgram *student, const SsmqProgram *teacher,
                                    const int32_t *tokens, size_t numTokens,
                                    const SsmqEvaluationOptions *options,
                                    SsmqEvaluation *evaluation);

/** The same on a file: labelled sequences for a classifier (*.safetensors with `inputs`, `labels`
 *  and perhaps `lengths`; ssmq/Measure/SequenceSet.h), or a JSON array of tokens. */
SSMQ_EXPORT SsmqStatus ssmqEvaluateSequences(const SsmqProgram *student, const SsmqProgram *teacher,
                                             const char *sequences,
                                             const SsmqEvaluationOptions *options,
                                             SsmqEvaluation *evaluation);

/** Sees each token as soon as it is chosen; false ends the text. */
typedef bool (*SsmqTokenCallback)(int32_t token, void *userData);

/** Continues a prompt of at least one token by at most `numTokens`. Temperature 0 takes the
 *  likeliest token. */
SSMQ_EXPORT SsmqStatus ssmqGenerate(const SsmqProgram *program, const int32_t *prompt,
                                    size_t promptSize, int64_t numTokens, double temperature,
                                    uint64_t seed, SsmqTokenCallback callback, void *userData);

/** Medians, in tokens a second. */
typedef struct SsmqThroughput {
  double prefill, decode;
} SsmqThroughput;

/** Times `repeats` prompts and, after each, `numTokens` greedy tokens; one more run goes before
 *  and is not counted. */
SSMQ_EXPORT SsmqStatus ssmqBenchmark(const SsmqProgram *program, const int32_t *prompt,
                                     size_t promptSize, int64_t numTokens, unsigned repeats,
                                     SsmqThroughput *throughput);

/*===-- Devices -----------------------------------------------------------===*/

/** Calls back with a JSON array of the OpenCL devices of this machine and what they can do
 *  (ssmq/Runtime/OpenCL/DeviceInfo.h). SSMQ_RESOURCE_ERROR where there is none. */
SSMQ_EXPORT SsmqStatus ssmqListDevices(SsmqBytesCallback callback, void *userData);

/*===-- Sensitivity tables ------------------------------------------------===*/

/** Merges tables of shards of one run and writes the table; all of them are JSON files. Neither
 *  the order of the tables nor their number changes a byte of it. Fails on tables of different
 *  runs and on measurements that contradict. */
SSMQ_EXPORT SsmqStatus ssmqMergeTables(const char *const *tables, size_t numTables,
                                       const char *merged);

/*===-- Formats -----------------------------------------------------------===*/

/** The canonical spelling of a format, as tables name it ("i4 sym group=64" for "int4:g64"). */
SSMQ_EXPORT SsmqStatus ssmqFormatGetSpelling(const char *format, SsmqBytesCallback callback,
                                             void *userData);

/** Calls back with the spelling of each format that is measured at sites of this kind when none is
 *  named. */
SSMQ_EXPORT SsmqStatus ssmqGetDefaultFormats(const char *kind, SsmqBytesCallback callback,
                                             void *userData);

/** A value as formats see it, row-major (see ssmq/Formats/ValueLayout.h). */
typedef struct SsmqValueLayout {
  /** "weight", "norm", "activation", "parameter", "state" or "cache". */
  const char *kind;
  int64_t rows, columns;
  /** Channels of a head; 0 where there are no heads. */
  int64_t headSize;
} SsmqValueLayout;

/** Bytes of codes and scales. Fails when the format cannot hold such a value. */
SSMQ_EXPORT SsmqStatus ssmqFormatGetNumBytes(const char *format, const SsmqValueLayout *layout,
                                             int64_t *numBytes);

/** What `values` become when they are stored in the format: the numbers that are measured. A static
 *  format takes its ranges from `values` themselves. Both arrays are [rows][columns]. */
SSMQ_EXPORT SsmqStatus ssmqFormatRound(const char *format, const SsmqValueLayout *layout,
                                       const float *values, float *rounded);

/*===-- Training ----------------------------------------------------------===*/

/** S4D's recurrence over a batch of sequences with the state rounded after each step, and its
 *  gradient (see ssmq/Kernels/RoundedScan.h). Complex numbers are pairs. */
typedef struct SsmqRoundedScan {
  /** `states` counts the complex ones of a head. */
  int64_t batch, steps, heads, states;
  /** [batch][steps][heads], and three of [heads][states][2]. */
  const float *u, *a, *b, *c;
  /** Of the state; NULL leaves it as it is. */
  const char *format;
  /** Low and high of each scale of a static format. */
  const float *bounds;
  size_t numBounds;
  /** Before it is rounded, a part of the state is clipped to [-limit, limit], and each part of its
   *  gradient to gradientLimit. */
  float limit, gradientLimit;
  unsigned threads;
} SsmqRoundedScan;

/** Writes y [batch][steps][heads] and, unless NULL, the rounded states
 *  [batch][steps][heads][states][2]. Fails on states that are not finite. */
SSMQ_EXPORT SsmqStatus ssmqRoundedScan(const SsmqRoundedScan *scan, float *y, float *states);

/** From those states and the gradient by y, the gradients by u, a, b and c. Nothing passes where a
 *  static format or the limit clips. */
SSMQ_EXPORT SsmqStatus ssmqRoundedScanGradient(const SsmqRoundedScan *scan, const float *states,
                                               const float *ofY, float *ofU, float *ofA, float *ofB,
                                               float *ofC);

/*===-- Assignment --------------------------------------------------------===*/

/** Chooses a format for each site. The request is JSON: {"table": "table.json", "budgets":
 *  ["4.5bpw"]} takes the least KL within a budget; ssmq/Assign/Request.h has the rules, limits and
 *  other members. Writes the assignment (JSON) to a file and hands its text to the callback; either
 *  may be NULL. */
SSMQ_EXPORT SsmqStatus ssmqAssign(const char *request, const char *assignment,
                                  SsmqBytesCallback callback, void *userData);

/** Calls back with the Pareto front of stored bytes and KL: {"model", "sites", "numPoints",
 *  "points": [{"bytes", "bitsPerWeight", "predictedKL", "formats"}]}, formats in the order of the
 *  sites. Of more than `maxPoints` points (0 takes all) those within evenly spaced budgets;
 *  numPoints counts all, and is null when they were too many to list. The request is that of
 *  ssmqAssign without limits but "siteKL". */
SSMQ_EXPORT SsmqStatus ssmqComputeFront(const char *request, size_t maxPoints,
                                        SsmqBytesCallback callback, void *userData);

#ifdef __cplusplus
}
#endif

#endif /* SSMQ_C_SSMQ_H */
