//===- Comparison.cpp - Holds programs against each other -----------------===//

#include "Comparison.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <random>

using namespace ssmq;
using llvm::Expected;
using Logits = llvm::ArrayRef<float>;

namespace {
struct Difference {
  double maxAbsolute = 0, meanKL = 0;
  int64_t sameTop1 = 0, numPositions = 0;

  bool isWithin(const ComparisonOptions &options) const {
    return options.maxKL ? meanKL <= *options.maxKL && sameTop1 == numPositions
                         : maxAbsolute <= options.tolerance;
  }
};
} // namespace

static double getLogSumExp(Logits row) {
  double largest = *llvm::max_element(row), sum = 0;
  for (float logit : row)
    sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

static Difference measure(const Tensor &expected, const Tensor &actual) {
  Difference result;
  int64_t vocabSize = expected.getDim(1);
  result.numPositions = expected.getDim(0);
  for (int64_t t = 0; t < result.numPositions; ++t) {
    Logits p = expected.data<float>().slice(t * vocabSize, vocabSize);
    Logits q = actual.data<float>().slice(t * vocabSize, vocabSize);
    double normP = getLogSumExp(p), normQ = getLogSumExp(q);
    for (auto [a, b] : llvm::zip_equal(p, q)) {
      double distance = std::abs(double(a) - b);
      // A NaN is never within a bound.
      if (!(distance <= result.maxAbsolute))
        result.maxAbsolute = std::isnan(distance) ? HUGE_VAL : distance;
      double logP = a - normP;
      result.meanKL += std::exp(logP) * (logP - (b - normQ)) / result.numPositions;
    }
    result.sameTop1 += llvm::max_element(p) - p.begin() == llvm::max_element(q) - q.begin();
  }
  return result;
}

/// The logits of all steps, fed in chunks of the given sizes.
static Expected<Tensor> feed(const Program &program, const Tensor &inputs,
                             llvm::ArrayRef<int64_t> chunks) {
  int64_t numSteps = inputs.getDim(0), numRows = program.getNumRows(numSteps), fed = 0;
  Expected<ProgramState> state = program.createState(numSteps);
  if (!state)
    return state.takeError();
  Tensor logits = Tensor::empty(DType::F32, {numRows, program.getVocabSize()});
  float *next = logits.mutableData<float>().data();
  for (int64_t size : chunks) {
    Expected<Tensor> part = program.forward(takeSteps(inputs, fed, size), *state);
    if (!part)
      return part.takeError();
    fed += size;
    // A classifier's last row is that of the whole.
    if (numRows == numSteps || fed == numSteps)
      next = llvm::copy(part->data<float>(), next);
  }
  return logits;
}

/// A division of `total` tokens into chunks of at most half of them; the first division has one
/// token a chunk.
static std::vector<int64_t> divide(int64_t total, unsigned index) {
  std::mt19937 random(index);
  std::vector<int64_t> chunks;
  for (int64_t rest = total; rest > 0; rest -= chunks.back()) {
    int64_t largest = index == 0 ? 1 : std::max<int64_t>(1, std::min(rest, total / 2));
    chunks.push_back(1 + static_cast<int64_t>(random() % largest));
  }
  return chunks;
}

static double getLargest(const Tensor &logits) {
  double largest = 0;
  for (float logit : logits.data<float>())
    largest = std::max(largest, std::abs(double(logit)));
  return largest;
}

/// Whether a program gives the same last row when it is asked for no other.
static Expected<bool> checkLast(const NamedProgram &program, const Tensor &inputs,
                                const Tensor &whole, const ComparisonOptions &options) {
  Expected<ProgramState> state = program.program->createState(inputs.getDim(0));
  if (!state)
    return state.takeError();
  Expected<Tensor> last = program.program->forwardLast(inputs, *state);
  if (!last)
    return last.takeError();
  int64_t vocabSize = whole.getDim(1);
  Tensor expected = Tensor::fromData({1, vocabSize}, whole.data<float>().take_back(vocabSize));
  double distance = measure(expected, *last).maxAbsolute;
  if (distance <= options.chunkTolerance * getLargest(whole))
    return true;
  llvm::outs() << program.name
               << llvm::format(": the last logits alone differ from those of the whole by %.3g\n",
                               distance);
  return false;
}

/// Relative to the largest logit.
static Expected<double> getChunkTolerance(const Program &program,
                                          const ComparisonOptions &options) {
  Expected<ProgramState> state = program.createState(1);
  if (!state)
    return state.takeError();
  double tolerance = options.chunkTolerance;
  for (const Tensor &value : state->values)
    switch (value.getDType()) {
    case DType::F16: tolerance = std::max(tolerance, 4 * 0x1p-11); break;
    case DType::BF16: tolerance = std::max(tolerance, 4 * 0x1p-8); break;
    case DType::I8: tolerance = std::max(tolerance, 4 * 0x1p-7); break;
    default: break;
    }
  return tolerance;
}

static Expected<bool> checkChunkings(const NamedProgram &program, const Tensor &inputs,
                                     const Tensor &whole, const ComparisonOptions &options) {
  Expected<double> tolerance = getChunkTolerance(*program.program, options);
  if (!tolerance)
    return tolerance.takeError();
  double largest = getLargest(whole);
  bool good = true;
  for (unsigned i = 0; i < options.numChunkings; ++i) {
    std::vector<int64_t> chunks = divide(inputs.getDim(0), i);
    Expected<Tensor> logits = feed(*program.program, inputs, chunks);
    if (!logits)
      return logits.takeError();
    double distance = measure(whole, *logits).maxAbsolute;
    if (distance <= *tolerance * largest)
      continue;
    good = false;
    llvm::outs() << program.name << ": chunks of";
    for (int64_t size : chunks)
      llvm::outs() << ' ' << size;
    llvm::outs() << llvm::format(" tokens differ from the whole by %.3g (largest logit %.3g)\n",
                                 distance, largest);
  }
  return good;
}

Expected<bool> ssmq::compare(llvm::ArrayRef<NamedProgram> programs, const Tensor &inputs,
                             const ComparisonOptions &options) {
  if (inputs.getDim(0) == 0)
    return makeError("there are no tokens to compare on");
  bool good = true;
  Tensor expected;
  for (const NamedProgram &program : programs) {
    Expected<Tensor> logits = feed(*program.program, inputs, {inputs.getDim(0)});
    if (!logits)
      return logits.takeError();
    Expected<bool> chunked = checkChunkings(program, inputs, *logits, options);
    if (!chunked)
      return chunked.takeError();
    Expected<bool> last = checkLast(program, inputs, *logits, options);
    if (!last)
      return last.takeError();
    good &= *chunked && *last;
    if (!expected) {
      expected = *logits;
      continue;
    }
    Difference difference = measure(expected, *logits);
    bool within = difference.isWithin(options);
    good &= within;
    llvm::outs() << programs.front().name << " and " << program.name
                 << (within ? " agree" : " differ")
                 << llvm::format(": max abs error %.3g, same argmax %lld of %lld, KL %.3g\n",
                                 difference.maxAbsolute, (long long)difference.sameTop1,
                                 (long long)difference.numPositions, difference.meanKL);
  }
  return good;
}
