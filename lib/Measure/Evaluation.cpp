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
} // namespace

/// The logits at the scored positions.
static Expected<Tensor> feed(const Program &program, const Sequence &sequence) {
  Expected<ProgramState> state = program.createState(sequence.getNumSteps());
  if (!state)
    return state.takeError();
  return program.forward(sequence.inputs, *state);
}

static Expected<SequenceScore> scoreAlone(const Program &student, const Sequence &sequence) {
  Expected<Tensor> logits = feed(student, sequence);
  if (!logits)
    return logits.takeError();
  Expected<TargetSums> sums = sumTargets(*logits, sequence.targets);
  if (!sums)
    return sums.takeError();
  SequenceScore score;
  score.divergence.numScored = sequence.targets.size();
  score.divergence.numCorrect = sums->numCorrect;
  score.crossEntropy = sums->crossEntropy;
  return score;
}

static Expected<SequenceScore> scoreAgainst(Expected<Tensor> teacher, const Program &student,
                                            const Sequence &sequence) {
  if (!teacher)
    return teacher.takeError();
  Expected<TeacherLogits> prepared = TeacherLogits::create(std::move(*teacher), sequence.targets);
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

static Error checkPrograms(const Program &student, const Program *teacher, const SequenceSet &set) {
  int64_t vocab = student.getVocabSize();
  if (teacher && teacher->getVocabSize() != vocab)
    return createStringError("the teacher's vocabulary has %lld tokens and the student's %lld",
                             static_cast<long long>(teacher->getVocabSize()),
                             static_cast<long long>(vocab));
  return set.check(student);
}

/// From the file, which is written first when it is not there.
static Expected<TeacherCache> openCache(const Program &student, const Program *teacher,
                                        const SequenceSet &set, const EvaluationOptions &options) {
  TeacherCacheIdentity identity{options.teacherIdentity, set.getDigest(), set.getLength(),
                                set.getNumScored(), student.getVocabSize()};
  if (!llvm::sys::fs::exists(options.teacherCache)) {
    if (!teacher)
      return createStringError("'%s' does not exist, and no teacher is given to write it",
                               options.teacherCache.c_str());
    auto getLogits = [&](int64_t i) { return feed(*teacher, set.getSequences()[i]); };
    if (Error error = writeTeacherCache(options.teacherCache, identity, set.getSequences().size(),
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
  result.accuracy = estimateRatio(scores.size(), [&](size_t i) {
    const DivergenceSums &one = scores[i].divergence;
    return RatioTerm{static_cast<double>(one.numCorrect), static_cast<double>(one.numScored)};
  });
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
                                    const SequenceSet &set, const EvaluationOptions &options) {
  if (Error error = checkPrograms(student, teacher, set))
    return error;
  llvm::ArrayRef<Sequence> sequences = set.getSequences();
  std::optional<TeacherCache> cache;
  // Where a sequence's rows begin in the cache.
  std::vector<int64_t> firstScored;
  if (!options.teacherCache.empty()) {
    Expected<TeacherCache> opened = openCache(student, teacher, set, options);
    if (!opened)
      return opened.takeError();
    cache = std::move(*opened);
    int64_t numScored = 0;
    for (const Sequence &sequence : sequences) {
      firstScored.push_back(numScored);
      numScored += sequence.targets.size();
    }
  }
  auto getTeacher = [&](int64_t i) -> Expected<Tensor> {
    if (cache)
      return cache->getLogits(firstScored[i], sequences[i].targets.size());
    return feed(*teacher, sequences[i]);
  };

  bool hasTeacher = teacher || cache;
  std::vector<SequenceScore> scores(sequences.size());
  Error failure = forEachSequence(options.threads, 0, scores.size(), [&](int64_t i) -> Error {
    Expected<SequenceScore> score = hasTeacher ? scoreAgainst(getTeacher(i), student, sequences[i])
                                               : scoreAlone(student, sequences[i]);
    if (!score)
      return score.takeError();
    scores[i] = std::move(*score);
    return Error::success();
  });
  if (failure)
    return failure;
  return summarizeScores(scores, student.getVocabSize(), hasTeacher);
}
