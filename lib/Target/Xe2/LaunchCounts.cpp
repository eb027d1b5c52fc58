//===- LaunchCounts.cpp - What launches of kernels move and do ------------===//

#include "ssmq/Target/Xe2/LaunchCounts.h"

#include "KernelWalk.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

/// A size of a launch: a constant, the number of tokens, or what is made of these.
static FailureOr<int64_t> getSize(Value value, int64_t tokens) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  if (value.getDefiningOp<memref::DimOp>())
    return tokens;
  Operation *op = value.getDefiningOp();
  if (op && op->getNumOperands() == 2) {
    FailureOr<int64_t> a = getSize(op->getOperand(0), tokens),
                       b = getSize(op->getOperand(1), tokens);
    if (succeeded(a) && succeeded(b) && *b > 0) {
      if (isa<arith::CeilDivUIOp, arith::CeilDivSIOp>(op))
        return int64_t(llvm::divideCeil(*a, *b));
      if (isa<arith::MulIOp>(op))
        return *a * *b;
    }
  }
  return emitError(value.getLoc(), "the size of a launch depends on more than the tokens");
}

namespace {
/// A buffer that a call passes.
struct PassedBuffer {
  int64_t numBytes = 0;
  bool isWeight = false;
  bool isState = false;
  bool isPosition = false;
};
} // namespace

static Value findSource(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

static PassedBuffer describe(Value buffer, int64_t tokens, int64_t position) {
  PassedBuffer passed;
  auto type = cast<MemRefType>(buffer.getType());
  Value source = findSource(buffer);
  passed.isWeight = static_cast<bool>(source.getDefiningOp<memref::GetGlobalOp>());
  auto argument = dyn_cast<BlockArgument>(source);
  auto entry = dyn_cast_if_present<func::FuncOp>(source.getParentBlock()->getParentOp());
  passed.isState =
      argument && entry && entry.getArgAttr(argument.getArgNumber(), SSMDialect::kStateAttrName);
  passed.isPosition = type.getRank() == 0 && type.getElementType().isInteger(32);
  passed.numBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape()) {
    bool isCache = isa<BlockArgument>(source);
    passed.numBytes *= !ShapedType::isDynamic(size) ? size : isCache ? position + tokens : tokens;
  }
  return passed;
}

/// What the kernel of a launching function does.
static FailureOr<Traffic> follow(func::FuncOp function, const LaunchFacts &facts,
                                 int64_t &numGroups) {
  gpu::LaunchFuncOp launch;
  function.walk([&](gpu::LaunchFuncOp op) { launch = op; });
  if (!launch)
    return function.emitError("launches no kernel");
  auto kernel =
      SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(launch, launch.getKernelAttr());
  if (!kernel)
    return launch.emitError("launches a kernel that is not there");
  gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
  FailureOr<int64_t> x = getSize(grid.x, facts.tokens), y = getSize(grid.y, facts.tokens);
  if (failed(x) || failed(y))
    return failure();
  numGroups = *x * *y;
  Traffic traffic;
  KernelWalk walk(kernel, facts, traffic);
  for (int64_t j = 0; j < *y; ++j)
    for (int64_t i = 0; i < *x; ++i)
      if (failed(walk.run(i, j)))
        return failure();
  return traffic;
}

FailureOr<SmallVector<LaunchCount>> ssm::countLaunches(func::FuncOp entry, int64_t tokens,
                                                       int64_t position) {
  SmallVector<LaunchCount> launches;
  // Calls of one function with buffers of one kind do the same.
  llvm::StringMap<std::pair<Traffic, int64_t>> followed;
  for (auto call : entry.getOps<func::CallOp>()) {
    auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
    if (!function || function.isExternal())
      continue;
    SmallVector<PassedBuffer> buffers = llvm::map_to_vector(
        call.getOperands(), [&](Value buffer) { return describe(buffer, tokens, position); });
    LaunchFacts facts{tokens, position, {}};
    for (const PassedBuffer &buffer : buffers)
      facts.isPosition.push_back(buffer.isPosition);
    facts.isPosition.push_back(false);
    auto known = followed.find(call.getCallee());
    if (known == followed.end()) {
      int64_t numGroups = 0;
      FailureOr<Traffic> traffic = follow(function, facts, numGroups);
      if (failed(traffic))
        return failure();
      known = followed.try_emplace(call.getCallee(), *traffic, numGroups).first;
    }
    const auto &[traffic, numGroups] = known->second;
    LaunchCount count;
    count.kernel = call.getCallee().str();
    count.groups = numGroups;
    count.dpas = traffic.dpas;
    count.dpasMultiplyAdds = traffic.dpasMultiplyAdds;
    for (auto [i, buffer] : llvm::enumerate(buffers)) {
      int64_t read = std::min(traffic.loaded[i], buffer.numBytes);
      count.bytesRead += read;
      int64_t written = std::min(traffic.stored[i], buffer.numBytes);
      count.bytesWritten += written;
      if (buffer.isState)
        count.stateBytesMoved += read + written;
      if (!buffer.isWeight)
        continue;
      count.weightBytesRead += read;
      count.weightBytesLoaded += traffic.loaded[i];
    }
    launches.push_back(std::move(count));
  }
  return launches;
}
