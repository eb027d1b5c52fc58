//===- Assign.cpp - Choose a format for each weight -----------------------===//

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Assign/Budget.h"
#include "ssmq/Assign/Greedy.h"
#include "ssmq/Assign/Uniform.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include <limits>

namespace mlir::ssm {
#define GEN_PASS_DEF_ASSIGNPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Assignment;
using ::ssmq::AssignmentProblem;

namespace {

class AssignPass : public mlir::ssm::impl::AssignPassBase<AssignPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Expected<Assignment> choose(ArrayRef<Site> sites);
  Expected<Assignment> chooseGreedy() const;
  Expected<Assignment> chooseUniform(ArrayRef<Site> sites);
  Error apply(const Assignment &assignment, ArrayRef<Site> sites);
};

} // namespace

Expected<Assignment> AssignPass::chooseGreedy() const {
  if (table.empty() || budget.empty())
    return createStringError("greedy assignment needs table=FILE and budget=SIZE");
  Expected<::ssmq::Budget> limit = ::ssmq::Budget::parse(budget);
  if (!limit)
    return limit.takeError();
  Expected<::ssmq::SensitivityTable> measured = ::ssmq::SensitivityTable::read(table);
  if (!measured)
    return measured.takeError();
  Expected<AssignmentProblem> problem = ::ssmq::makeProblem(*measured);
  if (!problem)
    return problem.takeError();
  Expected<Assignment> assignment = ::ssmq::assignGreedy(*problem, limit->getBytes(problem->size));
  if (assignment)
    assignment->method = "greedy " + budget;
  return assignment;
}

Expected<Assignment> AssignPass::chooseUniform(ArrayRef<Site> sites) {
  if (format.empty())
    return createStringError("uniform assignment needs format=FORMAT");
  Expected<std::shared_ptr<const ::ssmq::Format>> parsed = ::ssmq::parseFormat(format);
  if (!parsed)
    return parsed.takeError();
  std::string spelling = (*parsed)->getSpelling();
  WeightTotals totals = getWeightTotals(getOperation());
  AssignmentProblem problem;
  problem.size = {totals.numElements, totals.numBytes};
  for (const Site &site : sites) {
    if (Error error = (*parsed)->checkLayout(site.getLayout()))
      return createStringError("site '" + site.name + "': " + toString(std::move(error)));
    int64_t bytes = (*parsed)->getNumBytes(site.getLayout());
    problem.sites.push_back({site.name, {{spelling, bytes, /*cost=*/0}}});
    problem.size.fixedBytes -= site.numBytes;
  }
  Expected<Assignment> assignment = ::ssmq::assignUniform(problem, spelling);
  if (assignment) // nothing was measured
    assignment->report.predictedKL = std::numeric_limits<double>::quiet_NaN();
  return assignment;
}

Expected<Assignment> AssignPass::choose(ArrayRef<Site> sites) {
  if (method == "greedy")
    return chooseGreedy();
  if (method == "uniform")
    return chooseUniform(sites);
  if (method != "file")
    return createStringError("method '" + method + "' is not known; take greedy, uniform or file");
  if (input.empty())
    return createStringError("method=file needs input=FILE, the assignment to apply");
  return Assignment::read(input);
}

Error AssignPass::apply(const Assignment &assignment, ArrayRef<Site> sites) {
  llvm::StringSet<> known;
  for (const Site &site : sites)
    known.insert(site.name);
  for (const ::ssmq::SiteFormat &one : assignment.sites)
    if (!known.contains(one.site))
      return createStringError("the assignment names site '" + one.site +
                               "', which the module does not have");
  SmallVector<std::pair<Operation *, FormatAttr>> changes;
  auto report = [&] { return emitError(getOperation().getLoc()); };
  for (const Site &site : sites) {
    std::optional<StringRef> spelling = assignment.find(site.name);
    FormatAttr attribute;
    if (spelling && *spelling != ::ssmq::keepFormat) {
      attribute = FormatAttr::getChecked(report, &getContext(), *spelling);
      if (!attribute)
        return createStringError("site '" + site.name + "' cannot have this format");
    }
    changes.emplace_back(site.getHolder(), attribute);
  }
  for (auto [holder, attribute] : changes) {
    if (attribute)
      holder->setAttr(SSMDialect::kFormatAttrName, attribute);
    else
      holder->removeAttr(SSMDialect::kFormatAttrName);
  }
  return Error::success();
}

void AssignPass::runOnOperation() {
  SmallVector<Site> sites = findSites(getOperation(), ::ssmq::SiteKind::Weight);
  Expected<Assignment> assignment = choose(sites);
  Error error = assignment ? apply(*assignment, sites) : assignment.takeError();
  if (!error && !output.empty())
    error = assignment->write(output);
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
