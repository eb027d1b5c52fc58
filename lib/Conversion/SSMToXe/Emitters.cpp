//===- Emitters.cpp - Which emitter an op has -----------------------------===//

#include "Emitters.h"

#include "WeightNumbers.h"
#include "ssmq/Conversion/SSMToXe/SSMToXe.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;

bool ssm::isRowOp(Operation *op) {
  return isa<EmbeddingOp, FakeQuantizeOp, LayerNormOp, QuantizeOp, RMSNormOp, RotaryOp>(op);
}

namespace {
/// The kernel of a linear layer.
template <typename OpTy>
struct LinearKernel {
  Grid (*getGrid)(OpTy);
  void (*emit)(LaunchScope &, OpTy, GroupIndex);
};
} // namespace

static bool hasOneToken(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0) == 1;
}
static bool hasDpas(Operation *op) {
  auto dpas = op->getParentOfType<ModuleOp>()->getAttrOfType<BoolAttr>(kDpasAttrName);
  return !dpas || dpas.getValue();
}

static std::optional<LinearKernel<LinearOp>> getKernel(LinearOp op) {
  using Kernel = LinearKernel<LinearOp>;
  if (!WeightNumbers::knows(op))
    return std::nullopt;
  bool isInTiles = op.getTileRows().has_value();
  if (hasOneToken(op))
    return isInTiles ? Kernel{getTiledLinearGrid, emitTiledLinear}
                     : Kernel{getLinearGrid, emitLinear};
  if (hasDpas(op) && (isInTiles || !op.getScales()))
    return Kernel{getMatrixLinearGrid, emitMatrixLinear};
  return isInTiles ? Kernel{getBlockLinearGrid, emitBlockLinear}
                   : Kernel{getRowBlockGrid, emitRowBlock};
}

static LinearKernel<IntegerLinearOp> getKernel(IntegerLinearOp op) {
  using Kernel = LinearKernel<IntegerLinearOp>;
  if (hasOneToken(op))
    return Kernel{getIntegerLinearGrid, emitIntegerLinear};
  return hasDpas(op) ? Kernel{getIntegerMatrixGrid, emitIntegerMatrix}
                     : Kernel{getIntegerBlockGrid, emitIntegerBlock};
}

/// Work-groups of the scan by dpas, which prompts of a chunk and more take; 0: none.
static int64_t countChunkGroups(SSDScanOp op) {
  int64_t tokens = cast<RankedTensorType>(op.getInput().getType()).getDimSize(0);
  bool isLong = ShapedType::isDynamic(tokens) || tokens >= kSSDChunk;
  return isLong && hasDpas(op) ? countSSDChunkGroups(op) : 0;
}

static Grid getGrid(SSDScanOp op) {
  Grid grid = getSSDScanGrid(op);
  grid.groups = std::max(grid.groups, countChunkGroups(op));
  return grid;
}

static void emit(LaunchScope &scope, SSDScanOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  int64_t groups = countChunkGroups(op);
  if (groups == 0)
    return emitSSDScan(scope, op, at);
  auto among = [&](int64_t count) { return k.isLess(at.group, k.index(count)); };
  k.ifThen(
      k.isLess(scope.countTokens(op.getInput()), k.index(kSSDChunk)),
      [&] { k.ifThen(among(getSSDScanGrid(op).groups), [&] { emitSSDScan(scope, op, at); }); },
      [&] { k.ifThen(among(groups), [&] { emitSSDChunks(scope, op, at.group); }); });
}

static std::optional<Grid> getBlocksGrid(AttentionOp op) {
  return hasDpas(op) && !hasOneToken(op) ? getAttentionBlocksGrid(op) : std::nullopt;
}

static void emit(LaunchScope &scope, AttentionOp op, GroupIndex at) {
  getBlocksGrid(op) ? emitAttentionBlocks(scope, op, at) : emitAttention(scope, op, at);
}

std::optional<Grid> ssm::getGrid(Operation *op) {
  if (auto embedding = dyn_cast<EmbeddingOp>(op); embedding && !WeightNumbers::knows(embedding))
    return std::nullopt;
  if (auto fake = dyn_cast<FakeQuantizeOp>(op))
    return getFakeQuantizeGrid(fake);
  if (isRowOp(op))
    return Grid{1, 1};
  return llvm::TypeSwitch<Operation *, std::optional<Grid>>(op)
      .Case([](LinearOp linear) -> std::optional<Grid> {
        auto kernel = getKernel(linear);
        return kernel ? std::optional(kernel->getGrid(linear)) : std::nullopt;
      })
      .Case([](IntegerLinearOp linear) { return getKernel(linear).getGrid(linear); })
      .Case([](AttentionOp attention) {
        return getBlocksGrid(attention).value_or(getAttentionGrid(attention));
      })
      .Case([](CausalConv1dOp conv) { return getConvGrid(conv); })
      .Case([](SSDScanOp scan) { return ::getGrid(scan); })
      .Case([](DiagonalScanOp scan) { return getDiagonalScanGrid(scan); })
      .Case([](SelectiveScanOp scan) { return getSelectiveScanGrid(scan); })
      .Case([](linalg::GenericOp generic) { return getElementwiseGrid(generic); })
      .Default([](Operation *) { return std::nullopt; });
}

void ssm::emitRow(LaunchScope &scope, Operation *op, Value token) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](EmbeddingOp embedding) { emitEmbedding(scope, embedding, token); })
      .Case([&](FakeQuantizeOp fake) { emitFakeQuantize(scope, fake, token); })
      .Case([&](QuantizeOp quantize) { emitQuantize(scope, quantize, token); })
      .Case([&](RotaryOp rotary) { emitRotary(scope, rotary, token); })
      .Case<RMSNormOp, LayerNormOp>([&](auto norm) { emitNorm(scope, norm, token); });
}

void ssm::emitRoot(LaunchScope &scope, Operation *op, GroupIndex at) {
  if (isRowOp(op))
    return emitRow(scope, op, at.token);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](LinearOp linear) { getKernel(linear)->emit(scope, linear, at); })
      .Case([&](IntegerLinearOp linear) { getKernel(linear).emit(scope, linear, at); })
      .Case([&](AttentionOp attention) { emit(scope, attention, at); })
      .Case([&](CausalConv1dOp conv) { emitConv(scope, conv, at); })
      .Case([&](SSDScanOp scan) { emit(scope, scan, at); })
      .Case([&](DiagonalScanOp scan) { emitDiagonalScan(scope, scan, at); })
      .Case([&](SelectiveScanOp scan) { emitSelectiveScan(scope, scan, at); })
      .Case([&](linalg::GenericOp generic) { emitElementwise(scope, generic, at); });
}
