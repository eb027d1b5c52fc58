//===- Quantize.cpp - Store weights in their formats ----------------------===//

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Threading.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::NamedTensor;
using ::ssmq::QuantizedTensor;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;

/// A new external weight of the type that `tensor` has, and a load of it behind `load`.
static Value addWeight(ml_program::GlobalOp beside, ml_program::GlobalLoadConstOp load,
                       const NamedTensor &weight, Type elementType) {
  auto type = RankedTensorType::get(weight.tensor.getShape(), elementType);
  OpBuilder builder(beside);
  builder.setInsertionPointAfter(beside);
  if (!SymbolTable::lookupSymbolIn(beside->getParentOp(), weight.name))
    ml_program::GlobalOp::create(builder, beside.getLoc(), weight.name, type, /*is_mutable=*/false,
                                 ml_program::ExternAttr::get(builder.getContext(), type),
                                 builder.getStringAttr("private"));
  builder.setInsertionPointAfter(load);
  return ml_program::GlobalLoadConstOp::create(
      builder, load.getLoc(), type, SymbolRefAttr::get(builder.getContext(), weight.name));
}

namespace {

class QuantizePass : public mlir::ssm::impl::QuantizePassBase<QuantizePass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  FailureOr<QuantizedTensor> quantize(const Site &site, const WeightStore &store);
  /// Replaces the weight in the IR and adds its tensors to those to be written.
  LogicalResult rewrite(const Site &site, const QuantizedTensor &quantized, unsigned bits);

  std::vector<NamedTensor> tensors;
};

} // namespace

static std::shared_ptr<const ::ssmq::Format> getFormat(Operation *holder) {
  auto attribute = holder->getAttrOfType<FormatAttr>(SSMDialect::kFormatAttrName);
  if (!attribute)
    return nullptr;
  llvm::Expected<std::shared_ptr<const ::ssmq::Format>> format =
      ::ssmq::parseFormat(attribute.getSpelling());
  if (format)
    return *format;
  llvm::consumeError(format.takeError()); // the attribute's verifier has reported it
  return nullptr;
}

FailureOr<QuantizedTensor> QuantizePass::quantize(const Site &site, const WeightStore &store) {
  ml_program::GlobalOp global = site.global;
  if (!global)
    return site.getHolder()->emitError("the weight is not in a checkpoint; only those can be "
                                       "stored in a format");
  llvm::Expected<Tensor> weight = store.lookup(global.getSymName());
  if (!weight)
    return emitError(global.getLoc()) << llvm::toString(weight.takeError());
  auto type = cast<RankedTensorType>(global.getType());
  if (ArrayRef<int64_t>(weight->getShape()) != type.getShape())
    return emitError(global.getLoc()) << "the weight has another shape in the checkpoint";
  unsigned count = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  llvm::Expected<QuantizedTensor> quantized = getFormat(global)->quantize(*weight, count);
  if (!quantized)
    return emitError(global.getLoc()) << llvm::toString(quantized.takeError());
  return std::move(*quantized);
}

LogicalResult QuantizePass::rewrite(const Site &site, const QuantizedTensor &quantized,
                                    unsigned bits) {
  ml_program::GlobalOp global = site.global;
  MLIRContext *context = &getContext();
  auto storage = IntegerType::get(context, bits);
  auto element = quant::AnyQuantizedType::get(
      quant::QuantizationFlags::Signed, storage, Float32Type::get(context),
      quant::QuantizedType::getDefaultMinimumForInteger(/*isSigned=*/true, bits),
      quant::QuantizedType::getDefaultMaximumForInteger(/*isSigned=*/true, bits));
  auto type = cast<RankedTensorType>(global.getType()).clone(element);
  StringRef name = global.getSymName();
  NamedTensor codes{name.str(), ::ssmq::packCodes(quantized.codes, bits)};
  NamedTensor scales{(name + "_scale").str(), quantized.scales};
  NamedTensor zeroPoints{(name + "_zero_point").str(), quantized.zeroPoints};

  global.setType(type);
  global.setValueAttr(ml_program::ExternAttr::get(context, type));
  for (Value value : site.getValues()) {
    auto load = value.getDefiningOp<ml_program::GlobalLoadConstOp>();
    load.getResult().setType(type);
    Value zeros, scale = addWeight(global, load, scales, Float16Type::get(context));
    if (zeroPoints.tensor)
      zeros = addWeight(global, load, zeroPoints, IntegerType::get(context, 8));
    for (OpOperand &use : llvm::make_early_inc_range(load.getResult().getUses()))
      if (failed(cast<QuantizableOpInterface>(use.getOwner())
                     .setQuantizedWeight(load.getResult(), scale, zeros, quantized.groupSize)))
        return use.getOwner()->emitOpError("cannot hold a quantized weight");
  }
  tensors.push_back(std::move(codes));
  tensors.push_back(std::move(scales));
  if (zeroPoints.tensor)
    tensors.push_back(std::move(zeroPoints));
  return success();
}

void QuantizePass::runOnOperation() {
  ModuleOp module = getOperation();
  tensors.clear();
  if (output.empty()) {
    emitError(module.getLoc(), "ssmq-quantize needs output=FILE, the safetensors file to write");
    return signalPassFailure();
  }
  SmallVector<Site> sites = findSites(module, ::ssmq::SiteKind::Weight);
  llvm::erase_if(sites, [](Site &site) { return !getFormat(site.getHolder()); });
  if (sites.empty()) {
    emitError(module.getLoc(), "no weight has a format; run --ssmq-assign first");
    return signalPassFailure();
  }
  auto store = openCheckpoint(module, checkpoint);
  if (failed(store))
    return signalPassFailure();

  DenseSet<Operation *> quantized;
  for (Site &site : sites) {
    FailureOr<QuantizedTensor> weight = quantize(site, **store);
    if (failed(weight))
      return signalPassFailure();
    quantized.insert(site.global);
    if (failed(rewrite(site, *weight, getFormat(site.global)->getCodeBits())))
      return signalPassFailure();
  }
  llvm::StringSet<> written;
  for (const NamedTensor &tensor : tensors)
    written.insert(tensor.name);
  for (auto global : module.getOps<ml_program::GlobalOp>()) {
    if (!isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()) ||
        !written.insert(global.getSymName()).second)
      continue;
    llvm::Expected<Tensor> weight = (*store)->lookup(global.getSymName());
    if (!weight) {
      emitError(global.getLoc()) << llvm::toString(weight.takeError());
      return signalPassFailure();
    }
    tensors.push_back({global.getSymName().str(), *weight});
  }
  if (llvm::Error error = ::ssmq::writeSafetensors(output, tensors, {{"format", "ssmq"}})) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  module->setAttr(SSMDialect::kCheckpointAttrName, StringAttr::get(&getContext(), output));
}
