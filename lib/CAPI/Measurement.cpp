//===- Measurement.cpp - Measurements of the C interface ------------------===//

#include "Handles.h"
#include "ssmq/Measure/Evaluation.h"
#include "llvm/ADT/STLExtras.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static SsmqEstimate convert(const Estimate &estimate) {
  return {estimate.mean, estimate.standardError};
}

template <size_t n>
static void convert(llvm::ArrayRef<Quantile> quantiles, SsmqQuantile (&out)[n]) {
  for (auto [quantile, one] : llvm::zip_equal(quantiles, out))
    one = {quantile.level, convert(quantile.estimate)};
}

static void convert(const DivergenceSummary &summary, SsmqEvaluation &out) {
  out.teacherPerplexity = convert(summary.teacherPerplexity);
  out.perplexityRatio = convert(summary.perplexityRatio);
  out.perplexityChange = convert(summary.perplexityChange);
  out.crossEntropyChange = convert(summary.crossEntropyChange);
  out.crossEntropyCorrelation = convert(summary.crossEntropyCorrelation);
  out.forwardKL = convert(summary.forwardKL);
  out.reverseKL = convert(summary.reverseKL);
  out.meanSquaredError = convert(summary.meanSquaredError);
  out.signalToNoise = convert(summary.signalToNoise);
  out.probabilityChange = convert(summary.probabilityChange);
  out.rmsProbabilityChange = convert(summary.rmsProbabilityChange);
  out.sameTop1 = convert(summary.sameTop1);
  out.accuracyChange = convert(summary.accuracyChange);
}

static Error evaluateOn(const SsmqProgram *student, const SsmqProgram *teacher,
                        Expected<SequenceSet> set, const SsmqEvaluationOptions *options,
                        SsmqEvaluation *evaluation) {
  if (!set)
    return set.takeError();
  EvaluationOptions how;
  how.threads = options->threads;
  how.teacherCache = options->teacherCache ? options->teacherCache : "";
  how.teacherIdentity = options->teacherIdentity ? options->teacherIdentity : "";
  Expected<Evaluation> result =
      evaluate(*student->program, teacher ? teacher->program.get() : nullptr, *set, how);
  if (!result)
    return result.takeError();
  SsmqEvaluation out = {};
  out.numSequences = result->numSequences;
  out.numScored = result->numScored;
  out.crossEntropy = convert(result->crossEntropy);
  out.perplexity = convert(result->perplexity);
  out.accuracy = convert(result->accuracy);
  if (result->divergence) {
    out.hasTeacher = true;
    convert(*result->divergence, out);
    convert(result->distributions->forwardKL, out.forwardKLQuantiles);
    convert(result->distributions->probabilityChange, out.probabilityChangeQuantiles);
  }
  *evaluation = out;
  return Error::success();
}

SsmqStatus ssmqEvaluate(const SsmqProgram *student, const SsmqProgram *teacher,
                        const int32_t *tokens, size_t numTokens,
                        const SsmqEvaluationOptions *options, SsmqEvaluation *evaluation) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({student, tokens, options, evaluation}))
      return error;
    return evaluateOn(student, teacher,
                      SequenceSet::ofText({tokens, numTokens}, options->sequenceLength), options,
                      evaluation);
  });
}

SsmqStatus ssmqEvaluateSequences(const SsmqProgram *student, const SsmqProgram *teacher,
                                 const char *sequences, const SsmqEvaluationOptions *options,
                                 SsmqEvaluation *evaluation) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({student, sequences, options, evaluation}))
      return error;
    return evaluateOn(student, teacher, SequenceSet::read(sequences, options->sequenceLength),
                      options, evaluation);
  });
}

SsmqStatus ssmqGenerate(const SsmqProgram *program, const int32_t *prompt, size_t promptSize,
                        int64_t numTokens, double temperature, uint64_t seed,
                        SsmqTokenCallback callback, void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error =
            capi::checkPointers({program, prompt, reinterpret_cast<const void *>(callback)}))
      return error;
    auto onToken = [&](int32_t token) { return callback(token, userData); };
    GenerationOptions options;
    options.numTokens = numTokens;
    options.temperature = temperature;
    options.seed = seed;
    options.onToken = onToken;
    return generate(*program->program, {prompt, promptSize}, options).takeError();
  });
}

SsmqStatus ssmqBenchmark(const SsmqProgram *program, const int32_t *prompt, size_t promptSize,
                         int64_t numTokens, unsigned repeats, SsmqThroughput *throughput) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({program, prompt, throughput}))
      return error;
    Expected<Throughput> result =
        benchmark(*program->program, {prompt, promptSize}, numTokens, repeats);
    if (!result)
      return result.takeError();
    *throughput = {result->prefill, result->decode};
    return Error::success();
  });
}
