//===- SensitivitySweep.cpp - Measures every (site, format) ---------------===//

#include "ssmq/Analysis/SensitivitySweep.h"

#include "ssmq/Support/HalfFloat.h"
#include "ssmq/Support/Parallel.h"
#include <atomic>
#include <mutex>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Candidate;
using ::ssmq::DivergenceSums;
using ::ssmq::Format;
using ::ssmq::TeacherLogits;
using ::ssmq::Tensor;

/// Changes that should not matter: how tokens are fed, and weights in another 16-bit type.
static constexpr llvm::StringLiteral kHalves = "fed in two halves";
static constexpr llvm::StringLiteral kBFloat = "weights in bf16";

SmallVector<ArrayRef<int32_t>> mlir::ssm::cutSequences(ArrayRef<int32_t> tokens, int64_t length) {
  SmallVector<ArrayRef<int32_t>> sequences;
  while (tokens.size() >= 2) {
    size_t size = std::min(tokens.size(), static_cast<size_t>(length));
    sequences.push_back(tokens.take_front(size));
    tokens = tokens.drop_front(size);
  }
  return sequences;
}

SmallVector<std::shared_ptr<const Format>>
mlir::ssm::getDistinctFormats(ArrayRef<std::shared_ptr<const Format>> formats, int64_t columns) {
  SmallVector<std::shared_ptr<const Format>> distinct;
  const ::ssmq::ValueLayout layout{::ssmq::SiteKind::Weight, /*rows=*/2, columns};
  for (const auto &format : formats)
    if (llvm::none_of(distinct,
                      [&](const auto &other) { return format->isSameOn(*other, layout); }))
      distinct.push_back(format);
  return distinct;
}

std::vector<Candidate> mlir::ssm::listCandidates(ArrayRef<Site> sites,
                                                 const SweepOptions &options) {
  std::vector<Candidate> candidates = {{::ssmq::noiseFloorSite.str(), kHalves.str()},
                                       {::ssmq::noiseFloorSite.str(), kBFloat.str()}};
  for (const Site &site : sites)
    for (const auto &format : getDistinctFormats(options.formats, site.columns))
      candidates.push_back({site.name, format->getSpelling()});
  return candidates;
}

namespace {

/// One sequence: the teacher's run and what is measured against it.
class SequenceSweep {
public:
  SequenceSweep(const InterpreterProgram &program, ArrayRef<Site> sites, ArrayRef<int32_t> tokens,
                const SweepOptions &options)
      : program(program), interpreter(program.getInterpreter()), sites(sites), options(options),
        inputs(tokens.drop_back()), targets(tokens.drop_front()) {}

  Error runTeacher();
  Expected<DivergenceSums> measure(const Candidate &candidate) const;

private:
  Expected<DivergenceSums> measureHalves() const;
  Expected<DivergenceSums> compareRerun(const Perturbation &perturbation) const;

  const InterpreterProgram &program;
  const Interpreter &interpreter;
  ArrayRef<Site> sites;
  const SweepOptions &options;
  /// Tokens fed, and for each the token that follows it.
  ArrayRef<int32_t> inputs, targets;
  Interpreter::Values trace;
  std::optional<TeacherLogits> teacher;
};

} // namespace

Error SequenceSweep::runTeacher() {
  Expected<::ssmq::ProgramState> state = program.createState(inputs.size());
  if (!state)
    return state.takeError();
  Expected<Tensor> logits = program.forward(inputs, *state, &trace);
  if (!logits)
    return logits.takeError();
  Expected<TeacherLogits> prepared = TeacherLogits::create(*logits, targets);
  if (!prepared)
    return prepared.takeError();
  teacher.emplace(std::move(*prepared));
  return Error::success();
}

Expected<DivergenceSums> SequenceSweep::compareRerun(const Perturbation &perturbation) const {
  FailureOr<SmallVector<Tensor>> results = interpreter.rerun(trace, perturbation);
  if (failed(results))
    return llvm::createStringError("the program fails with a changed weight");
  return teacher->compare(results->front().data<float>());
}

Expected<DivergenceSums> SequenceSweep::measureHalves() const {
  Expected<::ssmq::ProgramState> state = program.createState(inputs.size());
  if (!state)
    return state.takeError();
  DivergenceSums sums;
  size_t half = inputs.size() / 2;
  for (ArrayRef<int32_t> part : {inputs.take_front(half), inputs.drop_front(half)}) {
    if (part.empty())
      continue;
    Expected<Tensor> logits = program.forward(part, *state);
    if (!logits)
      return logits.takeError();
    Expected<DivergenceSums> more =
        teacher->compare(logits->data<float>(), part.begin() - inputs.begin());
    if (!more)
      return more.takeError();
    sums += *more;
  }
  return sums;
}

static Tensor roundToBFloat(const Tensor &weight) {
  Tensor rounded = weight.clone();
  for (float &value : rounded.mutableData<float>())
    value = ::ssmq::bfloatToFloat(::ssmq::floatToBFloat(value));
  return rounded;
}

Expected<DivergenceSums> SequenceSweep::measure(const Candidate &candidate) const {
  if (candidate.site == ::ssmq::noiseFloorSite && candidate.format == kHalves)
    return measureHalves();

  Perturbation perturbation;
  auto replace = [&](const Site &site, const Tensor &weight) {
    for (OpOperand *use : site.uses)
      perturbation.operands[use] = weight;
  };
  auto valueOf = [&](const Site &site) {
    return interpreter.getConstant(site.uses.front()->get());
  };
  if (candidate.site == ::ssmq::noiseFloorSite) {
    for (const Site &site : sites)
      replace(site, roundToBFloat(valueOf(site)));
    return compareRerun(perturbation);
  }
  const Site &site =
      *llvm::find_if(sites, [&](const Site &one) { return one.name == candidate.site; });
  const auto &format = *llvm::find_if(
      options.formats, [&](const auto &one) { return one->getSpelling() == candidate.format; });
  Expected<Tensor> weight = ::ssmq::fakeQuantize(*format, valueOf(site));
  if (!weight)
    return llvm::createStringError("site '" + site.name +
                                   "': " + llvm::toString(weight.takeError()));
  replace(site, *weight);
  return compareRerun(perturbation);
}

Error mlir::ssm::sweepSequence(const InterpreterProgram &program, ArrayRef<Site> sites,
                               ArrayRef<int32_t> tokens, int64_t sequence,
                               const SweepOptions &options, SweepSink sink) {
  std::vector<Candidate> candidates = listCandidates(sites, options);
  llvm::erase_if(candidates,
                 [&](const Candidate &candidate) { return sink.isDone(sequence, candidate); });
  if (candidates.empty())
    return Error::success();
  SequenceSweep sweep(program, sites, tokens, options);
  if (Error error = sweep.runTeacher())
    return error;

  // Late sites cost far less than early ones, so each thread takes the next candidate when free.
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Error failure = Error::success();
  auto work = [&] {
    for (size_t i; (i = next++) < candidates.size();) {
      Expected<DivergenceSums> sums = sweep.measure(candidates[i]);
      Error error = sums ? sink.add({sequence, candidates[i], *sums}) : sums.takeError();
      if (error) {
        std::lock_guard<std::mutex> lock(mutex);
        failure = llvm::joinErrors(std::move(failure), std::move(error));
        next = candidates.size();
      }
    }
  };
  ::ssmq::parallelFor(options.threads, options.threads, [&](int64_t, int64_t) { work(); });
  return failure;
}
