//===- FoldParameters.cpp - What weights alone decide, computed once ------===//

#include "RewrittenCheckpoint.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Reference/Interpreter.h"
#include "ssmq/Transforms/KernelWeights.h"
#include "ssmq/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_FOLDPARAMETERSPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;
using ::ssmq::WeightStore;
using Load = ml_program::GlobalLoadConstOp;

namespace {

class ParameterFolder {
public:
  explicit ParameterFolder(ModuleOp module) : module(module), symbols(module) {}

  FailureOr<std::vector<LazyTensor>> rewrite(const WeightLookup &lookup, unsigned threads);

private:
  void find();
  std::optional<int64_t> getWeightBytes(Operation *op) const;
  FailureOr<SmallVector<Tensor>> evaluate(const WeightLookup &lookup, unsigned threads);
  void replace(Value value, const Tensor &tensor);

  ModuleOp module;
  SymbolTable symbols;
  /// Values that depend on weights and constants alone, with the bytes of the weights.
  llvm::DenseMap<Value, int64_t> known;
  SmallVector<Value> folded;
  std::vector<LazyTensor> tensors;
};

} // namespace

/// Bytes of a float tensor; none for anything else.
static std::optional<int64_t> getNumBytes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !isa<FloatType>(tensor.getElementType()))
    return std::nullopt;
  return tensor.getNumElements() * tensor.getElementTypeBitWidth() / 8;
}

/// Whether a region of the op reads more than its own values and arguments.
static bool capturesValues(Operation *op) {
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  return !captured.empty();
}

/// Bytes of the weights that an op's result depends on, when it depends on nothing else.
std::optional<int64_t> ParameterFolder::getWeightBytes(Operation *op) const {
  if (auto load = dyn_cast<Load>(op)) {
    auto global = symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference());
    bool isWeight = global && isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr());
    return isWeight ? getNumBytes(load.getType()) : std::nullopt;
  }
  if (op->getNumResults() != 1 || !isPure(op))
    return std::nullopt;
  // What an op without a value of its own writes into has none either.
  if (op->hasTrait<OpTrait::ConstantLike>() ||
      (isa<tensor::EmptyOp>(op) && op->getNumOperands() == 0))
    return 0;
  // Codes are smaller than what they stand for.
  if (op->getNumOperands() == 0 || isa<DequantizeOp>(op) || capturesValues(op))
    return std::nullopt;
  int64_t bytes = 0;
  for (Value operand : op->getOperands()) {
    auto it = known.find(operand);
    if (it == known.end())
      return std::nullopt;
    bytes += it->second;
  }
  return bytes;
}

void ParameterFolder::find() {
  module.walk([&](Operation *op) {
    if (std::optional<int64_t> bytes = getWeightBytes(op))
      known[op->getResult(0)] = *bytes;
  });
  // f16 weights become f32 values; what takes more than that costs more than it saves.
  constexpr int64_t mostGrowth = 2;
  module.walk([&](Operation *op) {
    if (op->getNumResults() != 1 || isa<Load>(op))
      return;
    auto it = known.find(op->getResult(0));
    std::optional<int64_t> size = getNumBytes(op->getResult(0).getType());
    if (it == known.end() || !size || *size > mostGrowth * it->second)
      return;
    bool isRead = llvm::any_of(op->getUsers(), [&](Operation *user) {
      return user->getNumResults() != 1 || !known.contains(user->getResult(0));
    });
    if (isRead)
      folded.push_back(op->getResult(0));
  });
}

/// Runs nothing but what the folded values need, in a function of its own.
FailureOr<SmallVector<Tensor>> ParameterFolder::evaluate(const WeightLookup &lookup,
                                                         unsigned threads) {
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  for (Value value : folded)
    if (failed(getBackwardSlice(value, &slice, options)))
      return emitError(value.getLoc(), "has no slice of ops");
  OpBuilder builder(module.getContext());
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(builder, module.getLoc());
  builder.setInsertionPointToStart(scratch->getBody());
  auto type = builder.getFunctionType({}, llvm::to_vector(ValueRange(folded).getTypes()));
  auto function = func::FuncOp::create(builder, module.getLoc(), "parameters", type);
  builder.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  module.walk([&](Operation *op) {
    if (slice.contains(op))
      builder.clone(*op, mapping);
  });
  SmallVector<Value> results;
  for (Value value : folded)
    results.push_back(mapping.lookup(value));
  func::ReturnOp::create(builder, module.getLoc(), results);

  FailureOr<std::unique_ptr<Interpreter>> interpreter =
      Interpreter::create(function, lookup, {::ssmq::KernelSet::Fast, threads});
  if (failed(interpreter))
    return failure();
  return (*interpreter)->run({});
}

void ParameterFolder::replace(Value value, const Tensor &tensor) {
  SetVector<Operation *> slice;
  (void)getBackwardSlice(value, &slice);
  StringRef base = "parameter";
  for (Operation *op : slice)
    if (auto load = dyn_cast<Load>(op))
      base = load.getGlobal().getLeafReference().getValue();
  auto type = RankedTensorType::get(cast<RankedTensorType>(value.getType()).getShape(),
                                    Float32Type::get(module.getContext()));
  OpBuilder builder(module.getBodyRegion());
  auto global = ml_program::GlobalOp::create(
      builder, value.getLoc(), (base + ".computed").str(), type, /*is_mutable=*/false,
      ml_program::ExternAttr::get(module.getContext(), type), builder.getStringAttr("private"));
  global->setDiscardableAttr(SSMDialect::kComputedAttrName, builder.getUnitAttr());
  StringAttr name = symbols.insert(global);
  builder.setInsertionPointAfterValue(value);
  Value load =
      Load::create(builder, value.getLoc(), type, SymbolRefAttr::get(module.getContext(), name));
  value.replaceAllUsesWith(load);
  tensors.push_back(::ssmq::makeLazy({name.str(), tensor}));
}

FailureOr<std::vector<LazyTensor>> ParameterFolder::rewrite(const WeightLookup &lookup,
                                                            unsigned threads) {
  find();
  if (folded.empty())
    return std::vector<LazyTensor>();
  FailureOr<SmallVector<Tensor>> values = evaluate(lookup, threads);
  if (failed(values))
    return failure();
  for (auto [value, tensor] : llvm::zip_equal(folded, *values))
    replace(value, tensor);
  // From the last to the first: what only a dead op read is dead then. Globals stay, for exports
  // give weights by the names that they came with.
  SmallVector<Operation *> candidates;
  module.walk([&](Operation *op) {
    if (op->getNumResults() == 1 && known.contains(op->getResult(0)))
      candidates.push_back(op);
  });
  for (Operation *op : llvm::reverse(candidates))
    if (op->use_empty())
      op->erase();
  return std::move(tensors);
}

FailureOr<std::vector<LazyTensor>>
mlir::ssm::foldParameters(ModuleOp module, const WeightLookup &lookup, unsigned threads) {
  return ParameterFolder(module).rewrite(lookup, threads);
}

namespace {

class FoldParametersPass : public mlir::ssm::impl::FoldParametersPassBase<FoldParametersPass> {
public:
  using Base::Base;

  void runOnOperation() override {
    LogicalResult result = rewriteCheckpoint(
        getOperation(), {getArgument(), output, checkpoint, threads},
        [&](const WeightStore &store, unsigned count) {
          return foldParameters(
              getOperation(), [&](StringRef name) { return store.lookup(name); }, count);
        });
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace
