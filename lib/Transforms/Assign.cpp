//===- Assign.cpp - Choose a format for each weight -----------------------===//

#include "ModelIdentity.h"
#include "SelectCandidates.h"
#include "SiteFormats.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Assign/Request.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Path.h"
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
using ::ssmq::SiteKind;
using ::ssmq::WeightStore;

namespace {

class AssignPass : public mlir::ssm::impl::AssignPassBase<AssignPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Expected<Assignment> choose();
  Expected<Assignment> chooseFromTable() const;
  Expected<Assignment> chooseUniform();
  Expected<Assignment> chooseFromFile();
  Expected<Assignment> chooseInputs();
  /// What somebody else chose, with its size; nothing is known of its KL.
  Expected<Assignment> makeStated(ArrayRef<Site> sites,
                                  function_ref<StringRef(const Site &)> getFormat);
  /// Fails when the assignment says that it is of other weights. A checkpoint beside its file
  /// becomes its hash, so that the assignment can go elsewhere.
  Error checkCheckpoint(Assignment &assignment);
  /// Of the weights in a safetensors file beside the assignment, as far as the module's are known.
  Expected<std::string> hashBeside(StringRef name);
};

} // namespace

Expected<Assignment> AssignPass::chooseFromTable() const {
  if (Error error = ::ssmq::checkRule(method))
    return error;
  if (table.empty())
    return createStringError("the method " + method + " needs table=FILE");
  ::ssmq::AssignRequest request;
  request.table = table;
  request.rule = method;
  llvm::append_range(request.budgets, budgets);
  request.memory = memory;
  request.costs = costs;
  request.cacheTokens = cacheTokens;
  auto set = [](std::optional<double> &limit, double value) {
    if (value > 0)
      limit = value;
  };
  set(request.decodeMilliseconds, decodeMs);
  set(request.prefillMilliseconds, prefillMs);
  set(request.siteKL, maxSiteKL);
  llvm::append_range(request.formats, formats);
  llvm::append_range(request.ties, ties);
  request.gamma = gamma;
  return ::ssmq::assign(request);
}

/// Whether the bytes of a site are part of the stored model; others come and go with tokens.
static bool isInModel(const Site &site) {
  return site.kind == SiteKind::Weight || site.kind == SiteKind::Norm ||
         site.kind == SiteKind::Parameter;
}

Expected<Assignment> AssignPass::makeStated(ArrayRef<Site> sites,
                                            function_ref<StringRef(const Site &)> getFormat) {
  WeightTotals totals = getWeightTotals(getOperation());
  AssignmentProblem problem;
  problem.size = {totals.numElements, totals.numBytes};
  for (const Site &site : sites) {
    int64_t before = isInModel(site) ? site.numBytes : 0, bytes = before;
    std::string spelling = getFormat(site).str();
    if (spelling != ::ssmq::keepFormat) {
      Expected<std::shared_ptr<const ::ssmq::Format>> parsed = ::ssmq::parseFormat(spelling);
      if (!parsed)
        return parsed.takeError();
      if (Error error = (*parsed)->checkLayout(site.getLayout(/*tokens=*/1)))
        return createStringError("site '" + site.name + "': " + toString(std::move(error)));
      bytes = isInModel(site) ? (*parsed)->getNumBytes(site.getLayout()) : 0;
      spelling = (*parsed)->getSpelling();
    }
    problem.sites.push_back({site.name, {{spelling, bytes, /*cost=*/0}}});
    problem.size.fixedBytes -= before;
  }
  Assignment assignment =
      makeAssignment(problem, std::vector<size_t>(problem.sites.size(), 0), method);
  assignment.report.predictedKL = std::numeric_limits<double>::quiet_NaN();
  return assignment;
}

Expected<Assignment> AssignPass::chooseUniform() {
  if (format.empty())
    return createStringError("uniform assignment needs format=FORMAT");
  Expected<SmallVector<Site>> chosen = selectSites(getOperation(), sites);
  if (!chosen)
    return chosen.takeError();
  Expected<Assignment> assignment =
      makeStated(*chosen, [&](const Site &) { return StringRef(format); });
  if (assignment)
    assignment->method = "uniform " + format;
  return assignment;
}

Expected<Assignment> AssignPass::chooseFromFile() {
  if (input.empty())
    return createStringError("method=file needs input=FILE, the assignment to apply");
  Expected<Assignment> read = Assignment::read(input);
  if (!read)
    return read;
  Expected<Assignment> stated = makeStated(findSites(getOperation()), [&](const Site &site) {
    return read->find(site.name).value_or(StringRef(::ssmq::keepFormat));
  });
  if (!stated)
    return stated;
  read->report.totalBytes = stated->report.totalBytes;
  read->report.bitsPerWeight = stated->report.bitsPerWeight;
  return read;
}

/// Whether the site is the input of a linear layer whose weight is in codes that integer kernels
/// multiply.
static bool isInputOfCodes(const Site &site) {
  auto linear = dyn_cast<LinearOp>(site.uses.front()->getOwner());
  if (!linear || site.uses.front() != &linear.getInputMutable() || !linear.getScales())
    return false;
  auto element = dyn_cast<quant::QuantizedType>(linear.getWeight().getType().getElementType());
  int64_t bits =
      element ? element.getStorageTypeIntegralWidth() : linear.getPackedBits().value_or(0);
  return bits == 4 || bits == 8;
}

Expected<Assignment> AssignPass::chooseInputs() {
  if (format.empty())
    return createStringError("method=inputs needs format=FORMAT");
  SmallVector<Site> inputs = findSites(getOperation(), {SiteKind::Activation});
  llvm::erase_if(inputs, [](const Site &site) { return !isInputOfCodes(site); });
  if (inputs.empty())
    return createStringError("no linear layer has a weight in codes of 4 or 8 bits and an input "
                             "in f32; run --ssmq-quantize first");
  Expected<Assignment> assignment =
      makeStated(inputs, [&](const Site &) { return StringRef(format); });
  if (assignment)
    assignment->method = "inputs " + format;
  return assignment;
}

Expected<Assignment> AssignPass::choose() {
  if (method == "inputs")
    return chooseInputs();
  if (method == "uniform")
    return chooseUniform();
  if (method == "file")
    return chooseFromFile();
  return chooseFromTable();
}

Expected<std::string> AssignPass::hashBeside(StringRef name) {
  llvm::SmallString<128> path(llvm::sys::path::parent_path(input));
  llvm::sys::path::append(path, llvm::sys::path::filename(name));
  Expected<WeightStore> store = WeightStore::open(path);
  if (!store)
    return ::ssmq::makeError("{0} is of the weights beside it: {1}", input.getValue(),
                             toString(store.takeError()));
  return hashWeights(getOperation(), *store);
}

Error AssignPass::checkCheckpoint(Assignment &assignment) {
  if (assignment.checkpoint.empty() || !getOperation()->hasAttr(SSMDialect::kCheckpointAttrName))
    return Error::success();
  auto store = openCheckpoint(getOperation(), {});
  if (failed(store))
    return createStringError("the weights cannot be compared with those that were measured");
  Expected<std::string> hash = hashWeights(getOperation(), **store);
  if (!hash)
    return hash.takeError();
  if (method == "file" && StringRef(assignment.checkpoint).ends_with(".safetensors")) {
    Expected<std::string> beside = hashBeside(assignment.checkpoint);
    if (!beside)
      return beside.takeError();
    assignment.checkpoint = *beside;
  }
  if (*hash == assignment.checkpoint)
    return Error::success();
  return createStringError("the formats were chosen for '" + assignment.model + "' with weights " +
                           assignment.checkpoint + ", and the module's weights are " + *hash +
                           "; measure this model");
}

void AssignPass::runOnOperation() {
  Expected<Assignment> assignment = choose();
  Error error = assignment ? checkCheckpoint(*assignment) : assignment.takeError();
  if (!error)
    error = applyAssignment(getOperation(), *assignment);
  if (!error && !output.empty())
    error = assignment->write(output);
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
