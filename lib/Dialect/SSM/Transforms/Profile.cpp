//===- Profile.cpp - Entries time their ops -------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Dialect/SSM/Utils/ProfileTable.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_PROFILE
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using ssmq::ProfiledOp;

/// Elements of a buffer but for its dynamic extents.
static int64_t getStaticElements(MemRefType type) {
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      elements *= size;
  return elements;
}

static int64_t getStaticBytes(MemRefType type) {
  return llvm::divideCeil(getStaticElements(type) * type.getElementTypeBitWidth(), 8);
}

/// Whether a buffer is (part of) a state of the entry, which ops update in place.
static bool isState(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  auto argument = dyn_cast<BlockArgument>(value);
  auto entry = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : nullptr;
  return entry && entry.getArgAttr(argument.getArgNumber(), ssm::SSMDialect::kStateAttrName);
}

/// ssmq_causal_conv1d_12 -> causal_conv1d.
static StringRef getKind(StringRef kernel) {
  kernel.consume_front("ssmq_");
  return kernel.rtrim("0123456789").rtrim('_');
}

static int64_t getColumns(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getRank() == 0 ? 1 : type.getShape().back();
}

/// Multiply-adds of a row of the input, which is a token.
static int64_t countMultiplyAdds(StringRef kind, ValueRange buffers, int64_t stateElements) {
  int64_t columns = getColumns(buffers.front());
  if (kind == "linear" || kind == "integer_linear")
    return columns * getColumns(buffers.back());
  if (kind == "causal_conv1d")
    return stateElements + columns;
  if (kind == "selective_scan" || kind == "ssd_scan")
    return 2 * stateElements;
  if (kind == "rms_norm" || kind == "layer_norm")
    return 2 * columns;
  return 0;
}

/// A table is read a row a token; rows may lie in tiles.
static int64_t getRowBytes(func::FuncOp kernel, MemRefType table) {
  int64_t rows = table.getDimSize(0);
  if (auto key = kernel->getAttrOfType<ArrayAttr>("ssm.kernel"); key && key.size() > 1)
    if (auto attributes = dyn_cast<DictionaryAttr>(key[1]))
      if (auto tile = attributes.getAs<IntegerAttr>("tile_rows"))
        rows *= tile.getInt();
  return getStaticBytes(table) / rows;
}

static ProfiledOp describe(Operation *op) {
  ProfiledOp described;
  if (auto path = op->getLoc()->findInstanceOf<NameLoc>())
    described.path = path.getName().str();
  func::FuncOp kernel;
  if (auto call = dyn_cast<func::CallOp>(op)) {
    described.kernel = call.getCallee().str();
    described.kind = getKind(call.getCallee()).str();
    kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, call.getCalleeAttr());
  } else {
    described.kind = isa<memref::CopyOp>(op) ? "copy" : "elementwise";
    described.kernel = op->getName().getStringRef().str();
  }

  int64_t stateElements = 0;
  for (auto [i, buffer] : llvm::enumerate(op->getOperands())) {
    auto type = dyn_cast<MemRefType>(buffer.getType());
    if (!type)
      continue;
    int64_t bytes = getStaticBytes(type);
    if (isState(buffer)) {
      if (type.getNumDynamicDims() > 0) {
        // A cache: rows so far are read, and those of the tokens written.
        described.bytesPerPosition += bytes;
        described.bytesPerToken += bytes;
      } else {
        described.bytes += 2 * bytes;
        stateElements += getStaticElements(type);
      }
    } else if (type.getNumDynamicDims() > 0) {
      described.bytesPerToken += bytes;
    } else if (described.kind == "embedding" && kernel && i > 0 && i + 1 < op->getNumOperands()) {
      described.bytesPerToken += getRowBytes(kernel, type);
    } else {
      described.bytes += bytes;
    }
  }
  auto input =
      op->getNumOperands() > 0 ? dyn_cast<MemRefType>(op->getOperand(0).getType()) : MemRefType();
  if (!input || input.getRank() == 0)
    return described;
  int64_t multiplyAdds = countMultiplyAdds(described.kind, op->getOperands(), stateElements);
  // @decode has one row, and @prefill what serves the last one alone.
  if (input.isDynamicDim(0))
    described.multiplyAddsPerToken = multiplyAdds;
  else
    described.multiplyAdds = multiplyAdds * input.getDimSize(0);
  if (described.kind == "attention")
    described.multiplyAddsPerPair = 2 * getColumns(op->getOperand(0));
  return described;
}

static bool isTimed(Operation &op) {
  if (auto call = dyn_cast<func::CallOp>(op))
    return call.getNumResults() == 0;
  return isa<memref::CopyOp, linalg::LinalgOp>(op);
}

static func::FuncOp declare(ModuleOp module, StringRef name, FunctionType type) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, module.getLoc(), name, type);
  function.setPrivate();
  return function;
}

namespace {

struct Profile : public ssm::impl::ProfileBase<Profile> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Type number = IntegerType::get(&getContext(), 64);
    func::FuncOp begin =
        declare(module, "ssmq_profile_begin", FunctionType::get(&getContext(), {}, {number}));
    func::FuncOp end =
        declare(module, "ssmq_profile_end", FunctionType::get(&getContext(), {number, number}, {}));
    std::vector<ProfiledOp> ops;
    for (auto entry : module.getOps<func::FuncOp>()) {
      if (!entry->hasAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName()))
        continue;
      for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
        if (!isTimed(op))
          continue;
        OpBuilder builder(&op);
        auto started = func::CallOp::create(builder, op.getLoc(), begin);
        builder.setInsertionPointAfter(&op);
        Value index = arith::ConstantIntOp::create(builder, op.getLoc(), ops.size(), 64);
        func::CallOp::create(builder, op.getLoc(), end, ValueRange{index, started.getResult(0)});
        ops.push_back(describe(&op));
        ops.back().entry = entry.getName().str();
      }
    }
    ssm::setProfileTable(module, ops);
  }
};

} // namespace
