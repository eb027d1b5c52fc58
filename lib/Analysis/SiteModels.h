//===- SiteModels.h - Sites of ops of other dialects ------------*- C++ -*-===//

#ifndef SSMQ_LIB_ANALYSIS_SITEMODELS_H
#define SSMQ_LIB_ANALYSIS_SITEMODELS_H

#include "mlir/Support/LLVM.h"

namespace mlir {
class MLIRContext;
class Operation;
} // namespace mlir

namespace mlir::ssm {

void attachMarkedSites(MLIRContext *context);
void attachLinalgSites(MLIRContext *context);
void attachTensorSites(MLIRContext *context);

} // namespace mlir::ssm

#endif // SSMQ_LIB_ANALYSIS_SITEMODELS_H
