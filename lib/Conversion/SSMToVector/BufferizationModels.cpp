//===- BufferizationModels.cpp - ssm ops become calls of kernels ----------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Transforms/InliningUtils.h"
#include "ssmq/Conversion/Rounding/CheckFormats.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::ssm;

/// Attribute of a kernel function: what it was made from.
static constexpr StringLiteral kKernelAttrName = "ssm.kernel";

static SmallVector<std::pair<OpOperand *, OpResult>> getStates(Operation *op) {
  if (auto stateful = dyn_cast<StatefulOpInterface>(op))
    return stateful.getStates();
  return {};
}

/// Whether kernels can read a buffer as it lies: rows may be apart, numbers in a row not.
static bool isKernelLayout(MemRefType type) {
  if (type.getLayout().isIdentity())
    return true;
  return type.getRank() == 2 && type.isLastDimUnitStride();
}

/// Equal keys have equal kernels: the op's name and attributes (but for its path) and the buffers.
static ArrayAttr getKernelKey(Operation *op, FunctionType type) {
  NamedAttrList attributes(op->getAttrDictionary());
  attributes.erase("path");
  return ArrayAttr::get(op->getContext(),
                        {op->getName().getIdentifier(), attributes.getDictionary(op->getContext()),
                         TypeAttr::get(type)});
}

template <typename OpTy>
static func::FuncOp getKernel(OpTy op, ModuleOp module, TypeRange operandTypes,
                              TypeRange resultTypes) {
  SmallVector<Type> inputs(operandTypes);
  inputs.append(resultTypes.begin(), resultTypes.end());
  auto type = FunctionType::get(op->getContext(), inputs, {});
  ArrayAttr key = getKernelKey(op, type);
  unsigned number = 0;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr(kKernelAttrName))
      continue;
    if (function->getAttr(kKernelAttrName) == key)
      return function;
    ++number;
  }

  Location loc = op.getLoc();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  std::string name;
  do
    name = ("ssmq_" + op->getName().stripDialect() + "_" + Twine(number++)).str();
  while (module.lookupSymbol(name));
  auto kernel = func::FuncOp::create(builder, loc, name, type);
  kernel.setPrivate();
  kernel->setAttr(kKernelAttrName, key);
  kernel->setAttr("llvm.linkage",
                  LLVM::LinkageAttr::get(op->getContext(), LLVM::Linkage::Internal));
  builder.setInsertionPointToEnd(kernel.addEntryBlock());
  KernelTarget target = KernelTarget::get(module);
  KernelBuilder k(loc, builder, target);
  ValueRange arguments = kernel.getArguments();
  emit(k, typename OpTy::Adaptor(arguments.take_front(operandTypes.size()), op),
       arguments.drop_front(operandTypes.size()));
  func::ReturnOp::create(k);
  return kernel;
}

namespace {
template <typename OpTy>
struct KernelCallModel
    : public BufferizableOpInterface::ExternalModel<KernelCallModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return true;
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return llvm::any_of(getStates(op), [&](auto state) { return state.first == &operand; });
  }

  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    for (auto [state, next] : getStates(op))
      if (state == &operand)
        return {{next, BufferRelation::Equivalent}};
    return {};
  }

  bool bufferizesToAllocation(Operation *op, Value value) const {
    return llvm::none_of(getStates(op), [&](auto state) { return state.second == value; });
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    auto module = op->getParentOfType<ModuleOp>();
    if (!module)
      return op->emitError("must be in a module, which takes its kernel");
    if (failed(checkWeight(op)) || (!roundsItsState(op) && failed(checkFormats(op))))
      return failure();
    Location loc = op->getLoc();
    auto allocate = [&](MemRefType type, Value like) {
      SmallVector<Value> sizes;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim))
          sizes.push_back(memref::DimOp::create(rewriter, loc, like, dim));
      return options.createAlloc(rewriter, loc, type, sizes);
    };

    SmallVector<Value> buffers;
    SmallVector<std::pair<Value, Value>> copiesBack;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      auto type = cast<MemRefType>(buffer->getType());
      if (!isKernelLayout(type)) {
        FailureOr<Value> copy =
            allocate(MemRefType::get(type.getShape(), type.getElementType()), *buffer);
        if (failed(copy) || failed(options.createMemCpy(rewriter, loc, *buffer, *copy)))
          return failure();
        if (llvm::any_of(getStates(op), [&](auto pair) { return pair.first == &operand; }))
          copiesBack.push_back({*copy, *buffer});
        buffer = copy;
      }
      buffers.push_back(*buffer);
    }
    size_t numOperands = buffers.size();

    SmallVector<Value> replacements(op->getNumResults());
    for (auto [operand, next] : getStates(op)) {
      Value buffer = buffers[operand->getOperandNumber()];
      for (auto [copy, original] : copiesBack)
        if (copy == buffer)
          buffer = original;
      replacements[next.getResultNumber()] = buffer;
    }
    for (auto [i, replacement] : llvm::enumerate(replacements)) {
      if (replacement)
        continue;
      // Results that are no states have the tokens of the first operand.
      auto type = cast<RankedTensorType>(op->getResultTypes()[i]);
      FailureOr<Value> buffer =
          allocate(MemRefType::get(type.getShape(), type.getElementType()), buffers.front());
      if (failed(buffer))
        return failure();
      replacement = *buffer;
      buffers.push_back(*buffer);
    }

    ValueRange all(buffers);
    func::FuncOp kernel = getKernel(cast<OpTy>(op), module, all.take_front(numOperands).getTypes(),
                                    all.drop_front(numOperands).getTypes());
    func::CallOp::create(rewriter, loc, kernel, buffers);
    for (auto [copy, original] : copiesBack)
      if (failed(options.createMemCpy(rewriter, loc, copy, original)))
        return failure();
    replaceOpWithBufferizedValues(rewriter, op, replacements);
    return success();
  }
};

/// Ops have no side effects and no regions: they may go wherever their function is inlined.
struct InlineAnything : public DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const override { return true; }
};
} // namespace

template <typename... Ops>
static void attachModels(MLIRContext *context) {
  (Ops::template attachInterface<KernelCallModel<Ops>>(*context), ...);
}

void mlir::ssm::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
              memref::MemRefDialect, omp::OpenMPDialect, scf::SCFDialect, vector::VectorDialect>();
  registry.addExtension(+[](MLIRContext *context, SSMDialect *dialect) {
    dialect->addInterfaces<InlineAnything>();
    attachModels<AttentionOp, CausalConv1dOp, DiagonalScanOp, EmbeddingOp, FakeQuantizeOp,
                 IntegerDiagonalScanOp, IntegerLinearOp, LayerNormOp, LinearOp, QuantizeOp,
                 RMSNormOp, RotaryOp, SelectiveScanOp, SSDScanOp>(context);
    // Kernels are made of these.
    for (StringRef dialect : {"arith", "func", "llvm", "math", "memref", "omp", "scf", "vector"})
      context->getOrLoadDialect(dialect);
  });
}

KernelTarget KernelTarget::get(ModuleOp module) {
  KernelTarget target;
  if (auto attributes = module->getAttrOfType<DictionaryAttr>(kAttrName)) {
    auto read = [&](StringRef name, int64_t otherwise) {
      auto attribute = attributes.getAs<IntegerAttr>(name);
      return attribute ? attribute.getInt() : otherwise;
    };
    target.vectorWidth = llvm::bit_floor<uint64_t>(
        std::clamp<int64_t>(read("vector_width", target.vectorWidth), 1, 64));
    if (auto dot = attributes.getAs<StringAttr>("dot"))
      target.dot = ::ssmq::parseDotKind(dot.getValue()).value_or(::ssmq::DotKind::None);
    target.threads = read("threads", target.threads) != 0;
    target.minParallelWork = read("min_parallel_work", target.minParallelWork);
    target.gemmLibrary = read("gemm_library", target.gemmLibrary) != 0;
    target.dynamicSchedule = read("dynamic_schedule", target.dynamicSchedule) != 0;
  }
  return target;
}

void KernelTarget::set(ModuleOp module) const {
  Builder builder(module.getContext());
  auto named = [&](StringRef name, int64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
  };
  module->setAttr(
      kAttrName,
      builder.getDictionaryAttr(
          {named("vector_width", vectorWidth),
           builder.getNamedAttr("dot", builder.getStringAttr(toString(dot))),
           named("threads", threads), named("min_parallel_work", minParallelWork),
           named("gemm_library", gemmLibrary), named("dynamic_schedule", dynamicSchedule)}));
}
