//===- LinalgSites.cpp - Sites of other compilers' programs ---------------===//
//
// A contraction of a weight with something else has the sites `weight` and `input`; so has a table
// that the body of a structured op looks rows up in the site `weight`. They are named after the
// weight's resource or location.
//
//===----------------------------------------------------------------------===//

#include "SiteModels.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "ssmq/Analysis/WeightSources.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

/// The model's path to the weight that `value` depends on; empty when it has no name.
static StringRef getWeightPath(Value value) {
  SmallVector<Operation *> sources = findWeightSources(value);
  if (sources.size() != 1)
    return {};
  StringRef name = getWeightName(sources.front());
  name.consume_back(".weight");
  return name;
}

namespace {

/// A contraction of which one operand is a weight.
struct WeightContraction {
  OpOperand *weight = nullptr, *input = nullptr;
  unsigned channelDim = 0;
  /// Whether the input's columns are what is contracted.
  bool hasInputRows = false;
};

} // namespace

/// The dimension of an operand that runs along one of the loops `among`.
static std::optional<unsigned> findDim(AffineMap map, ArrayRef<unsigned> among) {
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      if (llvm::is_contained(among, loop.getPosition()))
        return dim;
  return std::nullopt;
}

static std::optional<WeightContraction> matchContraction(Operation *operation) {
  auto op = dyn_cast<linalg::LinalgOp>(operation);
  if (!op || !op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      !linalg::isaContractionOpInterface(op))
    return std::nullopt;
  auto dims = linalg::inferContractionDims(op);
  if (failed(dims))
    return std::nullopt;
  bool isWeight[2];
  for (unsigned i = 0; i < 2; ++i)
    isWeight[i] = !findWeightSources(op->getOperand(i)).empty();
  if (isWeight[0] == isWeight[1])
    return std::nullopt;

  WeightContraction result;
  result.weight = &op->getOpOperand(isWeight[1]);
  result.input = &op->getOpOperand(!isWeight[1]);
  std::optional<unsigned> channelDim =
      findDim(op.getMatchingIndexingMap(result.weight), isWeight[1] ? dims->n : dims->m);
  if (!channelDim)
    return std::nullopt;
  result.channelDim = *channelDim;
  AffineMap inputMap = op.getMatchingIndexingMap(result.input);
  result.hasInputRows =
      findDim(inputMap.getSliceMap(inputMap.getNumResults() - 1, 1), dims->k) == 0u;
  return result;
}

namespace {

template <typename OpTy>
struct ContractionModel : QuantizableOpInterface::ExternalModel<ContractionModel<OpTy>, OpTy> {
  SmallVector<OperandSite> getSites(Operation *op) const {
    std::optional<WeightContraction> match = matchContraction(op);
    if (!match)
      return {};
    SmallVector<OperandSite> sites;
    if (match->hasInputRows)
      sites.push_back({match->input, SiteKind::Activation, "input"});
    sites.push_back({match->weight, SiteKind::Weight, "weight"});
    return sites;
  }
  StringRef getSitePath(Operation *op) const {
    std::optional<WeightContraction> match = matchContraction(op);
    return match ? getWeightPath(match->weight->get()) : StringRef();
  }
  OpOperand *getWeightOperand(Operation *op) const {
    std::optional<WeightContraction> match = matchContraction(op);
    return match ? match->weight : nullptr;
  }
  unsigned getChannelDim(Operation *op) const {
    std::optional<WeightContraction> match = matchContraction(op);
    return match ? match->channelDim : 0;
  }
};

/// Looks up a row of a table: one index comes from data, the others count.
struct LookupModel : QuantizableOpInterface::ExternalModel<LookupModel, tensor::ExtractOp> {
  static std::optional<unsigned> findRowDim(Operation *op) {
    auto extract = cast<tensor::ExtractOp>(op);
    std::optional<unsigned> rowDim;
    for (auto [dim, index] : llvm::enumerate(extract.getIndices())) {
      if (matchPattern(index, m_Constant()) || index.getDefiningOp<linalg::IndexOp>())
        continue;
      if (rowDim)
        return std::nullopt;
      rowDim = dim;
    }
    return rowDim;
  }
  SmallVector<OperandSite> getSites(Operation *op) const {
    OpOperand *table = getWeightOperand(op);
    return table ? SmallVector<OperandSite>{{table, SiteKind::Weight, "weight"}}
                 : SmallVector<OperandSite>();
  }
  StringRef getSitePath(Operation *op) const { return getWeightPath(op->getOperand(0)); }
  OpOperand *getWeightOperand(Operation *op) const {
    bool isTable = findRowDim(op) && !findWeightSources(op->getOperand(0)).empty();
    return isTable ? &op->getOpOperand(0) : nullptr;
  }
  unsigned getChannelDim(Operation *op) const { return findRowDim(op).value_or(0); }
};

} // namespace

template <typename... OpTys>
static void attachContractionModels(MLIRContext *context) {
  (OpTys::template attachInterface<ContractionModel<OpTys>>(*context), ...);
}

void mlir::ssm::attachLinalgSites(MLIRContext *context) {
  using namespace linalg;
  attachContractionModels<BatchMatmulOp, BatchMatvecOp, BatchVecmatOp, ContractOp, GenericOp,
                          MatmulOp, MatvecOp, VecmatOp>(context);
}

void mlir::ssm::attachTensorSites(MLIRContext *context) {
  tensor::ExtractOp::attachInterface<LookupModel>(*context);
}
