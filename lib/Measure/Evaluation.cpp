//===- Evaluation.cpp - Measures a whole program on text ------------------===//

#include "ssmq/Measure/Evaluation.h"

#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include <array>
#include <cmath>
#include <limits>
#include <mutex>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {
/// What is summed over the positions of a sequence.
enum Quantity { CrossEntropy, ForwardKL, ReverseKL, SameTop1, CrossEntropyChange, NumQuantities };

struct SequenceSums {
  int64_t numScored = 0;
  std::array<double, NumQuantities> sums{};
};
} // namespace

/// log(sum(exp(logits))); NaN when a logit is not finite.
static double logSumExp(llvm::ArrayRef<float> logits) {
  float largest = *llvm::max_element(logits);
  double sum = 0;
  for (float logit : logits) {
    if (!std::isfinite(logit))
      return std::numeric_limits<double>::quiet_NaN();
    sum += std::exp(double(logit) - largest);
  }
  return largest + std::log(sum);
}

static size_t getTop(llvm::ArrayRef<float> logits) {
  return llvm::max_element(logits) - logits.begin();
}

static void addDivergence(llvm::ArrayRef<float> p, double pNorm, llvm::ArrayRef<float> q,
                          double qNorm, int32_t target, SequenceSums &sums) {
  double forward = 0, reverse = 0;
  for (auto [pLogit, qLogit] : llvm::zip_equal(p, q)) {
    double logP = pLogit - pNorm, logQ = qLogit - qNorm;
    forward += std::exp(logP) * (logP - logQ);
    reverse += std::exp(logQ) * (logQ - logP);
  }
  sums.sums[ForwardKL] += forward;
  sums.sums[ReverseKL] += reverse;
  sums.sums[SameTop1] += getTop(p) == getTop(q);
  sums.sums[CrossEntropyChange] += (qNorm - q[target]) - (pNorm - p[target]);
}

static Expected<Tensor> feed(const Program &program, llvm::ArrayRef<int32_t> sequence) {
  Expected<ProgramState> state = program.createState(sequence.size());
  if (!state)
    return state.takeError();
  return program.forward(sequence, *state);
}

static Expected<SequenceSums> evaluateSequence(const Program &student, const Program *teacher,
                                               llvm::ArrayRef<int32_t> sequence) {
  // The last token is only predicted, never fed.
  Expected<Tensor> studentLogits = feed(student, sequence.drop_back());
  if (!studentLogits)
    return studentLogits.takeError();
  Tensor teacherLogits;
  if (teacher) {
    Expected<Tensor> logits = feed(*teacher, sequence.drop_back());
    if (!logits)
      return logits.takeError();
    teacherLogits = *logits;
  }

  SequenceSums result;
  size_t vocab = student.getVocabSize();
  for (size_t i = 0; i + 1 < sequence.size(); ++i) {
    int32_t target = sequence[i + 1];
    llvm::ArrayRef<float> q = studentLogits->data<float>().slice(i * vocab, vocab);
    double qNorm = logSumExp(q);
    if (std::isnan(qNorm))
      return createStringError("a logit after token %zu is not finite", i);
    result.sums[CrossEntropy] += qNorm - q[target];
    ++result.numScored;
    if (!teacher)
      continue;
    llvm::ArrayRef<float> p = teacherLogits.data<float>().slice(i * vocab, vocab);
    double pNorm = logSumExp(p);
    if (std::isnan(pNorm))
      return createStringError("a logit of the teacher after token %zu is not finite", i);
    addDivergence(p, pNorm, q, qNorm, target, result);
  }
  return result;
}

static Estimate estimate(llvm::ArrayRef<SequenceSums> sequences, Quantity quantity) {
  double total = 0, squares = 0;
  int64_t numScored = 0;
  for (const SequenceSums &one : sequences) {
    total += one.sums[quantity];
    numScored += one.numScored;
  }
  Estimate result;
  result.mean = total / numScored;
  for (const SequenceSums &one : sequences) {
    double residual = one.sums[quantity] - one.numScored * result.mean;
    squares += residual * residual;
  }
  double count = sequences.size();
  result.standardError = count > 1 ? std::sqrt(count / (count - 1) * squares) / numScored
                                   : std::numeric_limits<double>::quiet_NaN();
  return result;
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

  std::vector<SequenceSums> sums(windows.size());
  std::mutex mutex;
  Error failure = Error::success();
  parallelFor(options.threads, windows.size(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Expected<SequenceSums> one = evaluateSequence(student, teacher, windows[i]);
      if (one) {
        sums[i] = *one;
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
  result.numSequences = sums.size();
  for (const SequenceSums &one : sums)
    result.numScored += one.numScored;
  result.crossEntropy = estimate(sums, CrossEntropy);
  result.perplexity.mean = std::exp(result.crossEntropy.mean);
  result.perplexity.standardError = result.perplexity.mean * result.crossEntropy.standardError;
  if (teacher)
    result.divergence =
        DivergenceSummary{estimate(sums, ForwardKL), estimate(sums, ReverseKL),
                          estimate(sums, SameTop1), estimate(sums, CrossEntropyChange)};
  return result;
}
