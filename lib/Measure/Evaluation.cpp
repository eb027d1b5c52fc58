//===- Evaluation.cpp - Measures a whole program on text ------------------===//

#include "ssmq/Measure/Evaluation.h"

#include "SequenceLoop.h"
#include "ssmq/Measure/TeacherCache.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {
struct SequenceScore {
  double crossEntropy = 0;
  DivergenceSums divergence;
  /// Of each position.
  std::vector<double> forwardKL, probabilityChange;
};

/// The text cut into sequences; the positions of sequence k start at firstScored[k].
struct Windows {
  Windows(llvm::ArrayRef<int32_t> tokens, int64_t sequenceLength) {
    for (; tokens.size() >= 2; tokens = tokens.drop_front(sequences.back().size())) {
      sequences.push_back(tokens.take_front(sequenceLength));
      firstScored.push_back(numScored);
      numScored += sequences.back().size() - 1;
    }
  }

  std::vector<llvm::ArrayRef<int32_t>> sequences;
  std::vector<int64_t> firstScored;
  int64_t numScored = 0;
};

} // namespace

/// The logits at the scored positions: the last token is only predicted, never fed; the first is
/// never predicted.
static Expected<Tensor> feed(const Program &program, llvm::ArrayRef<int32_t> sequence) {
  Expected<ProgramState> state = program.createState(sequence.size() - 1);
  if (!state)
    return state.takeError();
  return program.forward(sequence.drop_back(), *state);
}

static Expected<SequenceScore> scoreAlone(const Program &student,
                                          llvm::ArrayRef<int32_t> sequence) {
  Expected<Tensor> logits = feed(student, sequence);
  if (!logits)
    return logits.takeError();
  Expected<double> sum = sumCrossEntropy(*logits, sequence.drop_front());
  if (!sum)
    return sum.takeError();
  SequenceScore score;
  score.divergence.numScored = sequence.size() - 1;
  score.crossEntropy = *sum;
  return score;
}

static Expected<SequenceScore> scoreAgainst(Expected<Tensor> teacher, const Program &student,
                                            llvm::ArrayRef<int32_t> sequence) {
  if (!teacher)
    return teacher.takeError();
  Expected<TeacherLogits> prepared =
      TeacherLogits::create(std::move(*teacher), sequence.drop_front());
  if (!prepared)
    return createStringError("the teacher: %s", llvm::toString(prepared.takeError()).c_str());
  Expected<Tensor> logits = feed(student, sequence);
  if (!logits)
    return logits.takeError();
  SequenceScore score;
  Expected<DivergenceSums> sums =
      prepared->compare(logits->data<float>(), 0, [&](const PositionDivergence &position) {
        score.forwardKL.push_back(position.forwardKL);
        score.probabilityChange.push_back(position.probabilityChange);
      });
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

/// From the file, which is written first when it is not there.
static Expected<TeacherCache> openCache(const Program &student, const Program *teacher,
                                        llvm::ArrayRef<int32_t> tokens, const Windows &windows,
                                        const EvaluationOptions &options) {
  TeacherCacheIdentity identity{options.teacherIdentity, getTokensDigest(tokens),
                                options.sequenceLength, windows.numScored, student.getVocabSize()};
  if (!llvm::sys::fs::exists(options.teacherCache)) {
    if (!teacher)
      return createStringError("'%s' does not exist, and no teacher is given to write it",
                               options.teacherCache.c_str());
    auto getLogits = [&](int64_t i) { return feed(*teacher, windows.sequences[i]); };
    if (Error error = writeTeacherCache(options.teacherCache, identity, windows.sequences.size(),
                                        options.threads, getLogits))
      return error;
  }
  return TeacherCache::open(options.teacherCache, identity);
}

static Evaluation summarizeScores(llvm::ArrayRef<SequenceScore> scores, int64_t vocabSize,
                                  bool hasTeacher) {
  Evaluation result;
  result.numSequences = scores.size();
  for (const SequenceScore &score : scores)
    result.numScored += score.divergence.numScored;
  result.crossEntropy = estimateRatio(scores.size(), [&](size_t i) {
    return RatioTerm{scores[i].crossEntropy, static_cast<double>(scores[i].divergence.numScored)};
  });
  result.perplexity.mean = std::exp(result.crossEntropy.mean);
  result.perplexity.standardError = result.perplexity.mean * result.crossEntropy.standardError;
  if (!hasTeacher)
    return result;
  auto getAll = [&](auto SequenceScore::*member) {
    return llvm::map_to_vector(scores, [&](const SequenceScore &score) { return score.*member; });
  };
  result.divergence = summarize(getAll(&SequenceScore::divergence), vocabSize);
  result.distributions = {
      estimateQuantiles(getAll(&SequenceScore::forwardKL), getDivergenceLevels()),
      estimateQuantiles(getAll(&SequenceScore::probabilityChange), getProbabilityChangeLevels())};
  return result;
}

Expected<Evaluation> ssmq::evaluate(const Program &student, const Program *teacher,
                                    llvm::ArrayRef<int32_t> tokens,
                                    const EvaluationOptions &options) {
  if (Error error = checkText(student, teacher, tokens, options.sequenceLength))
    return error;
  Windows windows(tokens, options.sequenceLength);
  std::optional<TeacherCache> cache;
  if (!options.teacherCache.empty()) {
    Expected<TeacherCache> opened = openCache(student, teacher, tokens, windows, options);
    if (!opened)
      return opened.takeError();
    cache = std::move(*opened);
  }
  auto getTeacher = [&](int64_t i) -> Expected<Tensor> {
    llvm::ArrayRef<int32_t> sequence = windows.sequences[i];
    if (cache)
      return cache->getLogits(windows.firstScored[i], sequence.size() - 1);
    return feed(*teacher, sequence);
  };

  bool hasTeacher = teacher || cache;
  std::vector<SequenceScore> scores(windows.sequences.size());
  Error failure = forEachSequence(options.threads, 0, scores.size(), [&](int64_t i) -> Error {
    llvm::ArrayRef<int32_t> sequence = windows.sequences[i];
    Expected<SequenceScore> score =
        hasTeacher ? scoreAgainst(getTeacher(i), student, sequence) : scoreAlone(student, sequence);
    if (!score)
      return score.takeError();
    scores[i] = std::move(*score);
    return Error::success();
  });
  if (failure)
    return failure;
  return summarizeScores(scores, student.getVocabSize(), hasTeacher);
}
