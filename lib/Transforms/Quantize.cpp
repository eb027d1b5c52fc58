//===- Quantize.cpp - Rewrite a program to the formats of its sites -------===//

#include "Calibration.h"
#include "SiteFormats.h"
#include "StoredWeights.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Threading.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using ::ssmq::NamedTensor;
using ::ssmq::SiteKind;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;
using Load = ml_program::GlobalLoadConstOp;

namespace {

struct Options {
  std::string output, tokens;
  int64_t sequenceLength, numSequences;
  unsigned threads;
};

class Quantizer {
public:
  Quantizer(ModuleOp module, Options options) : module(module), options(std::move(options)) {}

  /// Finds out what has formats.
  Error choose();
  /// Whether that takes the weights of the program.
  bool needsStore() const;
  /// Everything else that can fail, before the program is changed.
  Error prepare(std::shared_ptr<const WeightStore> weightStore);
  LogicalResult rewrite();
  Error write();

private:
  Error calibrate();
  Expected<Tensor> getValue(const Site &site);
  LogicalResult rewriteState(const SiteChange &change);
  void rewriteActivation(const SiteChange &change);

  ModuleOp module;
  std::shared_ptr<const WeightStore> store;
  Options options;
  SmallVector<Site> sites;
  /// The sites with formats.
  Mix mix;
  std::vector<StoredWeight> weights;
  std::vector<NamedTensor> tensors;
  std::unique_ptr<InterpreterProgram> program;
  std::unique_ptr<MixMeasurement> measurement;
  /// Evaluates values that are computed from weights; made when it is first needed.
  std::unique_ptr<Interpreter> interpreter;
};

class QuantizePass : public mlir::ssm::impl::QuantizePassBase<QuantizePass> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

static bool isStoredKind(SiteKind kind) {
  return kind == SiteKind::Weight || kind == SiteKind::Norm || kind == SiteKind::Parameter;
}

static bool needsCalibration(const SiteChange &one) {
  return one.format->needsRanges() && !one.ranges;
}

/// The weight of a checkpoint that a site holds as it is; empty for what is computed.
static StringRef getTensorName(const Site &site) {
  auto load = site.uses.front()->get().getDefiningOp<Load>();
  return load ? load.getGlobal().getLeafReference().getValue() : StringRef();
}

Expected<Tensor> Quantizer::getValue(const Site &site) {
  Value value = site.uses.front()->get();
  if (StringRef name = getTensorName(site); !name.empty()) {
    Expected<Tensor> weight = store->lookup(name);
    if (!weight)
      return weight.takeError();
    if (weight->getShape() != cast<RankedTensorType>(value.getType()).getShape())
      return ::ssmq::makeError("{0} has another shape in the checkpoint", ::ssmq::quote(name));
    return *weight;
  }
  if (!interpreter) {
    auto function = site.uses.front()->getOwner()->getParentOfType<FunctionOpInterface>();
    auto lookup = [store = store](StringRef name) { return store->lookup(name); };
    FailureOr<std::unique_ptr<Interpreter>> made =
        Interpreter::create(function, lookup, {::ssmq::KernelSet::Fast, options.threads});
    if (failed(made))
      return createStringError("the interpreter cannot run this module");
    interpreter = std::move(*made);
  }
  if (Tensor computed = interpreter->getConstant(value))
    return computed;
  return ::ssmq::makeError("site {0} is not known before a run", ::ssmq::quote(site.name));
}

Error Quantizer::calibrate() {
  auto needed = llvm::find_if(mix, needsCalibration);
  if (needed == mix.end())
    return Error::success();
  if (options.tokens.empty())
    return ::ssmq::makeError("site {0} as {1} needs ranges from calibration; give tokens=FILE, or "
                             "bounds in the assignment",
                             ::ssmq::quote(needed->site->name), needed->format->getSpelling());
  Expected<Calibration> calibration =
      Calibration::read(options.tokens, options.sequenceLength, options.numSequences);
  if (!calibration)
    return calibration.takeError();
  FailureOr<std::unique_ptr<InterpreterProgram>> made = InterpreterProgram::create(
      module, [store = store](StringRef name) { return store->lookup(name); }, {});
  if (failed(made))
    return createStringError("the interpreter cannot run this module");
  program = std::move(*made);
  if (Error error = calibration->fit(*program))
    return error;
  measurement =
      std::make_unique<MixMeasurement>(*program, calibration->getSequences(), options.threads);
  return measurement->addRanges(mix);
}

Error Quantizer::choose() {
  sites = findSites(module);
  Expected<Mix> assigned = getAssignedFormats(module, sites);
  if (!assigned)
    return assigned.takeError();
  mix = std::move(*assigned);
  if (mix.empty())
    return createStringError("no site has a format; run --ssmq-assign first");
  bool areWeights =
      llvm::any_of(mix, [](const SiteChange &one) { return isStoredKind(one.site->kind); });
  if (areWeights && options.output.empty())
    return createStringError("ssmq-quantize needs output=FILE, the safetensors file to write");
  return Error::success();
}

bool Quantizer::needsStore() const {
  return !options.output.empty() || llvm::any_of(mix, [](const SiteChange &one) {
    return isStoredKind(one.site->kind) || needsCalibration(one);
  });
}

Error Quantizer::prepare(std::shared_ptr<const WeightStore> weightStore) {
  store = std::move(weightStore);
  for (const SiteChange &one : mix) {
    if (!isStoredKind(one.site->kind))
      continue;
    Expected<Tensor> value = getValue(*one.site);
    if (!value)
      return value.takeError();
    Expected<StoredWeight> weight = storeWeight(one, *value, options.threads);
    if (!weight)
      return weight.takeError();
    weights.push_back(std::move(*weight));
  }
  return calibrate();
}

static DenseF32ArrayAttr getBounds(MLIRContext *context, const SiteChange &change) {
  if (!change.format->needsRanges())
    return nullptr;
  return DenseF32ArrayAttr::get(context, change.ranges->getBounds());
}

LogicalResult Quantizer::rewriteState(const SiteChange &change) {
  setSiteFormat(*change.site, nullptr);
  auto format = FormatAttr::get(module.getContext(), change.format->getSpelling());
  for (OpOperand *use : change.site->uses) {
    auto op = cast<QuantizableOpInterface>(use->getOwner());
    if (failed(op.setFormatOfState(format, getBounds(module.getContext(), change))))
      return op->emitOpError("cannot round its state");
  }
  return success();
}

void Quantizer::rewriteActivation(const SiteChange &change) {
  const Site &site = *change.site;
  setSiteFormat(site, nullptr);
  for (Value value : site.getValues()) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(value);
    auto rounded = FakeQuantizeOp::create(
        builder, value.getLoc(), value.getType(), value,
        FormatAttr::get(module.getContext(), change.format->getSpelling()), site.headSize,
        getBounds(module.getContext(), change), builder.getStringAttr(site.name));
    for (OpOperand *use : site.uses)
      if (use->get() == value)
        use->set(rounded);
  }
}

LogicalResult Quantizer::rewrite() {
  for (const SiteChange &one : mix) {
    if (isStoredKind(one.site->kind))
      continue;
    if (!one.site->insideOp)
      rewriteActivation(one);
    else if (failed(rewriteState(one)))
      return failure();
  }
  // An op that takes scales gets a new list of operands, and uses of its other sites are gone.
  WeightRewriter rewriter(module);
  for (bool isQuantized : {false, true})
    for (const StoredWeight &weight : weights)
      if (weight.quantized.has_value() == isQuantized && failed(rewriter.rewrite(weight)))
        return failure();
  rewriter.removeDead();
  tensors = rewriter.takeTensors();
  return success();
}

Error Quantizer::write() {
  llvm::StringSet<> written;
  for (const NamedTensor &tensor : tensors)
    written.insert(tensor.name);
  for (auto global : module.getOps<ml_program::GlobalOp>()) {
    if (!isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()) ||
        !written.insert(global.getSymName()).second)
      continue;
    Expected<Tensor> weight = store->lookup(global.getSymName());
    if (!weight)
      return weight.takeError();
    tensors.push_back({global.getSymName().str(), *weight});
  }
  return ::ssmq::writeSafetensors(options.output, tensors, {{"format", "ssmq"}});
}

void QuantizePass::runOnOperation() {
  ModuleOp module = getOperation();
  auto fail = [&](Error error) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  };
  unsigned count = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  Quantizer quantizer(module, {output, tokens, sequenceLength, numSequences, count});
  if (Error error = quantizer.choose())
    return fail(std::move(error));
  if (quantizer.needsStore()) {
    auto store = openCheckpoint(module, checkpoint);
    if (failed(store))
      return signalPassFailure();
    if (Error error = quantizer.prepare(*store))
      return fail(std::move(error));
  }
  if (failed(quantizer.rewrite()))
    return signalPassFailure();
  if (output.empty())
    return;
  if (Error error = quantizer.write())
    return fail(std::move(error));
  module->setAttr(SSMDialect::kCheckpointAttrName, StringAttr::get(&getContext(), output));
}
