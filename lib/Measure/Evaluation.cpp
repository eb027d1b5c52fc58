//===- Evaluation.cpp - Measures a whole program on text ------------------===//

#include "ssmq/Measure/Evaluation.h"

#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include <cmath>
#include <mutex>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {
struct SequenceScore {
  double crossEntropy = 0;
  DivergenceSums divergence;
};
} // namespace

static Expected<Tensor> feed(const Program &program, llvm::ArrayRef<int32_t> sequence) {
  Expected<ProgramState> state = program.createState(sequence.size());
  if (!state)
    return state.takeError();
  return program.forward(sequence, *state);
}

static Expected<SequenceScore> evaluateSequence(const Program &student, const Program *teacher,
                                                llvm::ArrayRef<int32_t> sequence) {
  // The last token is only predicted, never fed; the first is never predicted.
  llvm::ArrayRef<int32_t> targets = sequence.drop_front();
  Expected<Tensor> logits = feed(student, sequence.drop_back());
  if (!logits)
    return logits.takeError();
  SequenceScore score;
  score.divergence.numScored = targets.size();
  if (!teacher) {
    Expected<double> sum = sumCrossEntropy(*logits, targets);
    if (!sum)
      return sum.takeError();
    score.crossEntropy = *sum;
    return score;
  }
  Expected<Tensor> teacherLogits = feed(*teacher, sequence.drop_back());
  if (!teacherLogits)
    return teacherLogits.takeError();
  Expected<TeacherLogits> prepared = TeacherLogits::create(std::move(*teacherLogits), targets);
  if (!prepared)
    return createStringError("the teacher: %s", llvm::toString(prepared.takeError()).c_str());
  Expected<DivergenceSums> sums = prepared->compare(logits->data<float>());
  if (!sums)
    return sums.takeError();
  score.divergence = *sums;
  score.crossEntropy = sums->teacherCrossEntropy + sums->crossEntropyChange;
  return score;
}

static Error checkText(const Program &student, const Program *teacher,
                       llvm::ArrayRef<int32_t> tokens, int64_t sequenceLength) {
  if (sequenceLength < 2)
    return createStringError("the sequence length is %lld; it must be 2 or more",
                             static_cast<long long>(sequenceLength));
  if (tokens.size() < 2)
    return createStringError("the text has %zu tokens; scoring needs 2 or more", tokens.size());
  int64_t vocab = student.getVocabSize();
  if (teacher && teacher->getVocabSize() != vocab)
    return createStringError("the teacher's vocabulary has %lld tokens and the student's %lld",
                             static_cast<long long>(teacher->getVocabSize()),
                             static_cast<long long>(vocab));
  // Targets are looked up without being fed, so that programs do not check them all.
  for (int32_t token : tokens)
    if (token < 0 || token >= vocab)
      return createStringError("token %d is outside the vocabulary of %lld", token,
                               static_cast<long long>(vocab));
  return Error::success();
}

Expected<Evaluation> ssmq::evaluate(const Program &student, const Program *teacher,
                                    llvm::ArrayRef<int32_t> tokens,
                                    const EvaluationOptions &options) {
  if (Error error = checkText(student, teacher, tokens, options.sequenceLength))
    return error;
  std::vector<llvm::ArrayRef<int32_t>> windows;
  for (; tokens.size() >= 2; tokens = tokens.drop_front(windows.back().size()))
    windows.push_back(tokens.take_front(options.sequenceLength));

  std::vector<SequenceScore> scores(windows.size());
  std::mutex mutex;
  Error failure = Error::success();
  parallelFor(options.threads, windows.size(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Expected<SequenceScore> one = evaluateSequence(student, teacher, windows[i]);
      if (one) {
        scores[i] = *one;
        continue;
      }
      std::lock_guard<std::mutex> lock(mutex);
      // One line for the user: the first failure to come.
      if (failure)
        llvm::consumeError(one.takeError());
      else
        failure = createStringError("sequence %lld: %s", static_cast<long long>(i),
                                    llvm::toString(one.takeError()).c_str());
      return;
    }
  });
  if (failure)
    return failure;

  Evaluation result;
  result.numSequences = scores.size();
  for (const SequenceScore &score : scores)
    result.numScored += score.divergence.numScored;
  result.crossEntropy = estimateRatio(scores.size(), [&](size_t i) {
    return RatioTerm{scores[i].crossEntropy, static_cast<double>(scores[i].divergence.numScored)};
  });
  result.perplexity.mean = std::exp(result.crossEntropy.mean);
  result.perplexity.standardError = result.perplexity.mean * result.crossEntropy.standardError;
  if (teacher)
    result.divergence =
        summarize(llvm::map_to_vector(scores, [](auto &score) { return score.divergence; }),
                  student.getVocabSize());
  return result;
}
