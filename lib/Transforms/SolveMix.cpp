//===- SolveMix.cpp - Solve, measure, solve again -------------------------===//

#include "Calibration.h"
#include "ResolveMix.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Assign/Budget.h"
#include "ssmq/Assign/MixSearch.h"
#include "ssmq/Assign/Optimal.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Threading.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SOLVEMIXPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Assignment;
using ::ssmq::AssignmentProblem;
using ::ssmq::MixChange;
using ::ssmq::MixChoices;
using ::ssmq::MixOracle;
using ::ssmq::NamedMix;

namespace {

class SolveMixPass : public mlir::ssm::impl::SolveMixPassBase<SolveMixPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Expected<Assignment> solve(std::shared_ptr<const ::ssmq::WeightStore> store);
};

/// The choices of a problem at the sites of a module.
class ResolvedProblem {
public:
  /// Both must outlive this.
  static Expected<ResolvedProblem> create(const AssignmentProblem &problem, const SiteIndex &index);

  Mix getMix(const MixChoices &choices) const;
  Mix getChange(ArrayRef<MixChange> changes) const;
  /// The mixes of one format everywhere that hold in `budget` bytes; a site that cannot have the
  /// format is kept.
  std::vector<NamedMix> getUniform(int64_t budget) const;

private:
  /// A choice, at one site or at several that are tied.
  using Resolved = SmallVector<SiteChange, 1>;

  std::optional<MixChoices> getUniform(const ::ssmq::Format &format) const;

  const AssignmentProblem *problem;
  std::vector<std::vector<Resolved>> choices;
};

} // namespace

Expected<ResolvedProblem> ResolvedProblem::create(const AssignmentProblem &problem,
                                                  const SiteIndex &index) {
  ResolvedProblem result;
  result.problem = &problem;
  for (const ::ssmq::SiteChoices &site : problem.sites) {
    std::vector<Resolved> &resolved = result.choices.emplace_back();
    ArrayRef<std::string> members = site.members;
    for (const ::ssmq::Choice &choice : site.choices) {
      Resolved &one = resolved.emplace_back();
      for (const std::string &name : members.empty() ? ArrayRef(site.site) : members) {
        Expected<SiteChange> change = index.resolve(name, choice.format);
        if (!change)
          return change.takeError();
        one.push_back(std::move(*change));
      }
    }
  }
  return result;
}

Mix ResolvedProblem::getMix(const MixChoices &chosen) const {
  Mix mix;
  for (auto [site, choice] : llvm::zip_equal(choices, chosen))
    for (const SiteChange &one : site[choice])
      if (one.format)
        mix.push_back(one);
  return mix;
}

Mix ResolvedProblem::getChange(ArrayRef<MixChange> changes) const {
  Mix mix;
  for (const MixChange &change : changes)
    for (SiteChange one : choices[change.site][change.choice.value_or(0)]) {
      if (!change.choice)
        one.format = nullptr;
      mix.push_back(std::move(one));
    }
  return mix;
}

std::optional<MixChoices> ResolvedProblem::getUniform(const ::ssmq::Format &format) const {
  MixChoices result;
  for (ArrayRef<Resolved> site : choices) {
    std::optional<size_t> same, kept;
    for (auto [index, choice] : llvm::enumerate(site)) {
      const SiteChange &one = choice.front();
      if (!one.format)
        kept = index;
      // Groups longer than a row are whole channels: tables have these once.
      else if (!same && format.isSameOn(*one.format, one.site->getLayout()))
        same = index;
    }
    if (!same && !kept)
      return std::nullopt;
    result.push_back(same ? *same : *kept);
  }
  return result;
}

std::vector<NamedMix> ResolvedProblem::getUniform(int64_t budget) const {
  std::map<std::string, std::shared_ptr<const ::ssmq::Format>> formats;
  for (const std::vector<Resolved> &site : choices)
    for (const Resolved &choice : site)
      if (const auto &format = choice.front().format)
        formats.try_emplace(format->getSpelling(), format);
  std::vector<NamedMix> result;
  for (const auto &[name, format] : formats) {
    std::optional<MixChoices> mix = getUniform(*format);
    if (mix && makeAssignment(*problem, *mix, name).report.totalBytes <= budget)
      result.push_back({name, std::move(*mix)});
  }
  return result;
}

/// The least sum of costs, as indices.
static Expected<MixChoices> solveExactly(const AssignmentProblem &problem, int64_t budget) {
  ::ssmq::Limits limits;
  limits.storedBytes = budget;
  Expected<Assignment> solved = assignOptimal(problem, limits);
  if (!solved)
    return solved.takeError();
  llvm::StringMap<StringRef> formats;
  for (const ::ssmq::SiteFormat &one : solved->sites)
    formats[one.site] = one.format;
  MixChoices result;
  for (const ::ssmq::SiteChoices &site : problem.sites) {
    StringRef format = formats.lookup(site.members.empty() ? site.site : site.members.front());
    auto chosen = llvm::find_if(
        site.choices, [&](const ::ssmq::Choice &choice) { return choice.format == format; });
    result.push_back(chosen - site.choices.begin());
  }
  return result;
}

Expected<Assignment> SolveMixPass::solve(std::shared_ptr<const ::ssmq::WeightStore> store) {
  if (table.empty() || budget.empty() || tokens.empty() || output.empty())
    return llvm::createStringError(
        "ssmq-solve-mix needs table=FILE, budget=SIZE, tokens=FILE and output=FILE");
  Expected<::ssmq::Budget> limit = ::ssmq::Budget::parse(budget);
  if (!limit)
    return limit.takeError();
  Expected<::ssmq::SensitivityTable> known = ::ssmq::SensitivityTable::read(table);
  if (!known)
    return known.takeError();
  Expected<AssignmentProblem> problem = ::ssmq::makeProblem(*known);
  if (!problem)
    return problem.takeError();
  Expected<Calibration> calibration = Calibration::read(tokens, sequenceLength, numSequences);
  if (!calibration)
    return calibration.takeError();
  ModuleOp module = getOperation();
  FailureOr<std::unique_ptr<InterpreterProgram>> program = InterpreterProgram::create(
      module, [store](StringRef name) { return store->lookup(name); }, {});
  if (failed(program))
    return llvm::createStringError("the interpreter cannot run this module");
  if (Error error = calibration->fit(**program))
    return std::move(error);
  Expected<::ssmq::RunIdentity> run =
      identifyRun(module, *store, *calibration, (*program)->getVocabSize());
  if (!run)
    return run.takeError();
  if (problem->checkpoint != run->checkpoint)
    return ::ssmq::makeError("{0} is of other weights than this module's", table);
  SmallVector<Site> sites = findSites(module);
  Expected<ResolvedProblem> resolved = ResolvedProblem::create(*problem, SiteIndex(sites));
  if (!resolved)
    return resolved.takeError();

  MixMeasurement measurement(**program, calibration->getSequences(),
                             threads ? threads
                                     : llvm::hardware_concurrency().compute_thread_count());
  int64_t bytes = limit->getBytes(problem->size);
  auto measure = [&](ArrayRef<MixChoices> mixes) -> Expected<MixOracle::Sums> {
    std::vector<Mix> resolvedMixes;
    for (const MixChoices &one : mixes)
      resolvedMixes.push_back(resolved->getMix(one));
    return measurement.measure(std::move(resolvedMixes));
  };
  auto measureChanges = [&](const MixChoices &base,
                            ArrayRef<std::vector<MixChange>> changes) -> Expected<MixOracle::Sums> {
    std::vector<Mix> mixes;
    for (const std::vector<MixChange> &one : changes)
      mixes.push_back(resolved->getChange(one));
    return measurement.measureChanges(resolved->getMix(base), std::move(mixes), exactArithmetic);
  };
  auto solveFor = [&](const AssignmentProblem &corrected) {
    return solveExactly(corrected, bytes);
  };
  ::ssmq::MixSearchOptions options;
  options.maxRounds = rounds;
  return searchMix(*problem, resolved->getUniform(bytes), {measure, measureChanges, solveFor},
                   options, "optimal " + budget);
}

void SolveMixPass::runOnOperation() {
  auto store = openCheckpoint(getOperation(), checkpoint);
  if (failed(store))
    return signalPassFailure();
  Expected<Assignment> assignment = solve(*store);
  Error error = assignment ? assignment->write(output) : assignment.takeError();
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  if (!assignment->report.note.empty())
    emitWarning(getOperation().getLoc()) << assignment->report.note;
  markAllAnalysesPreserved();
}
