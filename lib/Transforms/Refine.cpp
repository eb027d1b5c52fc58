//===- Refine.cpp - Better codes for quantized weights --------------------===//

#include "Calibration.h"
#include "RefineWeights.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Threading.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_REFINEPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using ::ssmq::NamedTensor;
using ::ssmq::RefineMethod;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;

namespace {

class RefinePass : public mlir::ssm::impl::RefinePassBase<RefinePass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Error checkOptions() const;
  Error refine(const WeightStore &store);
  Error refineOnInputs(const WeightStore &store, WeightRefiner &refiner);
  /// All tensors of the store, those of the weights replaced.
  Error write(const WeightStore &store, ArrayRef<QuantizedWeight> weights,
              const WeightRefiner &refiner) const;
};

} // namespace

Error RefinePass::checkOptions() const {
  if (output.empty() || original.empty())
    return createStringError("ssmq-refine needs original=CHECKPOINT, which was quantized, and "
                             "output=FILE, the safetensors file to write");
  if (!(damping > 0) || damping > 1)
    return createStringError("damping must be above 0 and at most 1");
  return Error::success();
}

Error RefinePass::refineOnInputs(const WeightStore &store, WeightRefiner &refiner) {
  if (tokens.empty())
    return createStringError("method=" + method + " needs tokens=FILE, the calibration tokens");
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
  return refiner.refineOn(**program, store, calibration->getSequences());
}

Error RefinePass::write(const WeightStore &store, ArrayRef<QuantizedWeight> weights,
                        const WeightRefiner &refiner) const {
  llvm::StringMap<Tensor> changed;
  for (auto [weight, refined] : llvm::zip_equal(weights, refiner.getResults())) {
    changed[weight.getName()] = ::ssmq::packCodes(refined.codes, weight.bits);
    changed[ml_program::GlobalOp(weight.scales).getSymName()] = refined.scales;
    if (weight.zeroPoints)
      changed[ml_program::GlobalOp(weight.zeroPoints).getSymName()] = refined.zeroPoints;
  }
  std::vector<NamedTensor> tensors;
  for (StringRef name : store.getNames()) {
    Expected<Tensor> tensor = store.lookup(name);
    if (!tensor)
      return tensor.takeError();
    if (auto it = changed.find(name); it != changed.end()) {
      if (it->second.getNumBytes() != tensor->getNumBytes())
        return ::ssmq::makeError("{0} takes {1} bytes in the checkpoint, but {2} refined",
                                 ::ssmq::quote(name), tensor->getNumBytes(),
                                 it->second.getNumBytes());
      *tensor = Tensor::borrow(tensor->getDType(), tensor->getShape(), it->second.getRawData(),
                               std::make_shared<const Tensor>(it->second));
    }
    tensors.push_back({name.str(), *tensor});
  }
  ::ssmq::SafetensorsMetadata metadata = {{"format", "ssmq"}, {"refined", method}};
  return ::ssmq::writeSafetensors(output, tensors, metadata);
}

Error RefinePass::refine(const WeightStore &store) {
  if (Error error = checkOptions())
    return error;
  Expected<RefineMethod> parsed = ::ssmq::parseRefineMethod(method);
  if (!parsed)
    return parsed.takeError();
  SmallVector<QuantizedWeight> weights = findQuantizedWeights(getOperation());
  if (weights.empty())
    return createStringError("no weight is stored in codes; run --ssmq-quantize first, and "
                             "--ssmq-pack only afterwards");
  if (llvm::any_of(weights, [](const QuantizedWeight &one) { return one.tiles.has_value(); }))
    return createStringError("the weights are in tiles; refine them before --ssmq-tile-weights");
  Expected<WeightStore> from = WeightStore::open(original);
  if (!from)
    return from.takeError();
  ::ssmq::GPTQOptions options;
  options.damping = damping;
  options.activationOrder = actOrder;
  options.sweeps = sweeps;
  options.threads = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  WeightRefiner refiner(weights, *from, *parsed, options);
  if (Error error =
          *parsed == RefineMethod::MSE ? refiner.refineScales() : refineOnInputs(store, refiner))
    return error;
  return write(store, weights, refiner);
}

void RefinePass::runOnOperation() {
  ModuleOp module = getOperation();
  auto store = openCheckpoint(module, checkpoint);
  if (failed(store))
    return signalPassFailure();
  if (Error error = refine(**store)) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  module->setAttr(SSMDialect::kCheckpointAttrName, StringAttr::get(&getContext(), output));
  module->setAttr(SSMDialect::kRefinedAttrName, StringAttr::get(&getContext(), method));
}
