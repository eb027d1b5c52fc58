//===- FoldScales.cpp - Move the size of channels into weights ------------===//

#include "ssmq/Refine/FoldScales.h"

#include "Calibration.h"
#include "FoldTargets.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/CalibrationRun.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Refine/Hessian.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Threading.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_FOLDSCALESPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using ::ssmq::FoldedLayer;
using ::ssmq::Hessian;
using ::ssmq::NamedTensor;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;

namespace {

class FoldScalesPass : public mlir::ssm::impl::FoldScalesPassBase<FoldScalesPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Error fold(const WeightStore &store);
  Error foldTarget(const FoldTarget &target, const CalibrationRun &run, const WeightStore &store);
  /// The weight as it is by now, in f32.
  Expected<Tensor> getWeight(ml_program::GlobalOp global, const WeightStore &store) const;
  Error write(const WeightStore &store) const;
  /// The types of what has changed.
  void rewrite();

  unsigned count = 1;
  llvm::StringMap<Tensor> changed;
};

} // namespace

Expected<Tensor> FoldScalesPass::getWeight(ml_program::GlobalOp global,
                                           const WeightStore &store) const {
  if (auto known = changed.find(global.getSymName()); known != changed.end())
    return known->second;
  Expected<Tensor> weight = store.lookup(global.getSymName());
  if (!weight)
    return weight.takeError();
  return weight->toF32();
}

static std::shared_ptr<const ::ssmq::Format> getFormat(Operation *holder) {
  auto attribute = holder->getAttrOfType<FormatAttr>(SSMDialect::kFormatAttrName);
  return attribute ? attribute.getFormat() : nullptr;
}

Error FoldScalesPass::foldTarget(const FoldTarget &target, const CalibrationRun &run,
                                 const WeightStore &store) {
  int64_t columns = cast<RankedTensorType>(target.input.getType()).getDimSize(1);
  Hessian hessian(columns);
  std::vector<double> magnitudes(columns);
  for (size_t i = 0; i < run.getNumSequences(); ++i) {
    Tensor inputs = run.getValue(i, target.input);
    hessian.add(inputs, count);
    for (auto [index, value] : llvm::enumerate(inputs.data<float>()))
      magnitudes[index % columns] += std::fabs(value);
  }
  if (!hessian.isFinite())
    return createStringError("the inputs are not finite");
  for (double &magnitude : magnitudes)
    magnitude /= static_cast<double>(std::max<int64_t>(1, hessian.getNumTokens()));

  std::vector<FoldedLayer> layers;
  for (ml_program::GlobalOp layer : target.layers) {
    Expected<Tensor> weight = getWeight(layer, store);
    if (!weight)
      return weight.takeError();
    if (std::shared_ptr<const ::ssmq::Format> format = getFormat(layer))
      layers.push_back({*weight, format});
  }
  Expected<::ssmq::FoldResult> result =
      ::ssmq::searchFold(layers, magnitudes, hessian, alphaGrid, count);
  if (!result)
    return result.takeError();
  if (result->scales.empty())
    return Error::success();
  for (ml_program::GlobalOp layer : target.layers) {
    Expected<Tensor> weight = getWeight(layer, store);
    if (!weight)
      return weight.takeError();
    changed[layer.getSymName()] = ::ssmq::scaleColumns(*weight, result->scales);
  }
  for (ml_program::GlobalOp front : {target.front, target.frontBias}) {
    if (!front)
      continue;
    Expected<Tensor> weight = getWeight(front, store);
    if (!weight)
      return weight.takeError();
    changed[front.getSymName()] = ::ssmq::divideRows(*weight, result->scales, target.firstRow);
  }
  return Error::success();
}

Error FoldScalesPass::write(const WeightStore &store) const {
  std::vector<NamedTensor> tensors;
  for (StringRef name : store.getNames()) {
    auto known = changed.find(name);
    Expected<Tensor> tensor = known == changed.end() ? store.lookup(name) : known->second;
    if (!tensor)
      return tensor.takeError();
    tensors.push_back({name.str(), *tensor});
  }
  return ::ssmq::writeSafetensors(output, tensors, {{"format", "ssmq"}});
}

Error FoldScalesPass::fold(const WeightStore &store) {
  if (tokens.empty() || output.empty())
    return createStringError("ssmq-fold-scales needs tokens=FILE, the calibration tokens, and "
                             "output=FILE, the safetensors file to write");
  SmallVector<FoldTarget> targets = findFoldTargets(getOperation());
  llvm::erase_if(targets, [](const FoldTarget &target) {
    return llvm::none_of(target.layers, [](Operation *layer) { return bool(getFormat(layer)); });
  });
  if (targets.empty())
    return createStringError("no layer with a format stands behind a norm or a layer that scales "
                             "can be folded into; run --ssmq-assign first");
  auto lookup = [&store](StringRef name) { return store.lookup(name); };
  FailureOr<std::unique_ptr<InterpreterProgram>> program =
      InterpreterProgram::create(getOperation(), lookup, {});
  if (failed(program))
    return createStringError("the interpreter cannot run this module");
  Expected<Calibration> calibration = Calibration::read(tokens, sequenceLength, numSequences);
  if (!calibration)
    return calibration.takeError();
  if (Error error = calibration->fit(**program))
    return error;
  Expected<CalibrationRun> run =
      CalibrationRun::create(**program, calibration->getSequences(), count);
  if (!run)
    return run.takeError();

  llvm::DenseMap<Operation *, const FoldTarget *> targetOf;
  for (const FoldTarget &target : targets)
    targetOf[target.firstReader] = &target;
  auto visit = [&](Operation *op) -> Expected<bool> {
    auto target = targetOf.find(op);
    if (target == targetOf.end())
      return true;
    ml_program::GlobalOp layer = target->second->layers.front();
    if (Error error = foldTarget(*target->second, *run, store))
      return ::ssmq::makeError("{0}: {1}", ::ssmq::quote(layer.getSymName()),
                               llvm::toString(std::move(error)));
    targetOf.erase(target);
    return !targetOf.empty();
  };
  if (Error error = run->run(visit))
    return error;
  return write(store);
}

void FoldScalesPass::rewrite() {
  Type element = Float32Type::get(&getContext());
  auto widen = [&](Type type) { return cast<RankedTensorType>(type).clone(element); };
  for (auto global : getOperation().getOps<ml_program::GlobalOp>())
    if (changed.contains(global.getSymName())) {
      global.setType(widen(global.getType()));
      global.setValueAttr(ml_program::ExternAttr::get(&getContext(), global.getType()));
    }
  getOperation().walk([&](ml_program::GlobalLoadConstOp load) {
    if (changed.contains(load.getGlobal().getLeafReference()))
      load.getResult().setType(widen(load.getType()));
  });
}

void FoldScalesPass::runOnOperation() {
  ModuleOp module = getOperation();
  changed.clear();
  count = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  auto store = openCheckpoint(module, checkpoint);
  if (failed(store))
    return signalPassFailure();
  if (Error error = fold(**store)) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  rewrite();
  module->setAttr(SSMDialect::kCheckpointAttrName, StringAttr::get(&getContext(), output));
}
