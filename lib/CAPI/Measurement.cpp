//===- Measurement.cpp - Measurements of the C interface ------------------===//

#include "Handles.h"
#include "ssmq/Measure/Evaluation.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static SsmqEstimate convert(const Estimate &estimate) {
  return {estimate.mean, estimate.standardError};
}

SsmqStatus ssmqEvaluate(const SsmqProgram *student, const SsmqProgram *teacher,
                        const int32_t *tokens, size_t numTokens, int64_t sequenceLength,
                        unsigned threads, SsmqEvaluation *evaluation) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({student, tokens, evaluation}))
      return error;
    EvaluationOptions options;
    options.sequenceLength = sequenceLength;
    options.threads = threads;
    Expected<Evaluation> result =
        evaluate(*student->program, teacher ? teacher->program.get() : nullptr, {tokens, numTokens},
                 options);
    if (!result)
      return result.takeError();
    SsmqEvaluation out = {};
    out.numSequences = result->numSequences;
    out.numScored = result->numScored;
    out.crossEntropy = convert(result->crossEntropy);
    out.perplexity = convert(result->perplexity);
    if (result->divergence) {
      out.hasTeacher = true;
      out.forwardKL = convert(result->divergence->forwardKL);
      out.reverseKL = convert(result->divergence->reverseKL);
      out.sameTop1 = convert(result->divergence->sameTop1);
      out.crossEntropyChange = convert(result->divergence->crossEntropyChange);
    }
    *evaluation = out;
    return Error::success();
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
