//===- MarkedSites.cpp - Sites that an attribute marks --------------------===//
//
// What upstream ops read is a site only where the importer says so, as for the gate of a Mamba
// block: the attribute `ssm.sites` names the sites of the operands.
//
//===----------------------------------------------------------------------===//

#include "SiteModels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

template <typename OpTy>
struct MarkedModel : QuantizableOpInterface::ExternalModel<MarkedModel<OpTy>, OpTy> {
  SmallVector<OperandSite> getSites(Operation *op) const {
    SmallVector<OperandSite> sites;
    if (auto names = op->getAttrOfType<ArrayAttr>(SSMDialect::kSitesAttrName))
      for (auto [operand, name] :
           llvm::zip(op->getOpOperands(), names.getAsValueRange<StringAttr>()))
        if (!name.empty())
          sites.push_back({&operand, ::ssmq::SiteKind::Activation, name});
    return sites;
  }
};

} // namespace

template <typename... OpTys>
static void attachMarkedModels(MLIRContext *context) {
  (OpTys::template attachInterface<MarkedModel<OpTys>>(*context), ...);
}

void mlir::ssm::attachMarkedSites(MLIRContext *context) {
  using namespace arith;
  attachMarkedModels<AddFOp, DivFOp, MulFOp, NegFOp, SubFOp>(context);
}
