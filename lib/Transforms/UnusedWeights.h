//===- UnusedWeights.h - Weights that nothing reads any more ----*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_UNUSEDWEIGHTS_H
#define SSMQ_LIB_TRANSFORMS_UNUSEDWEIGHTS_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir {
class Operation;
class SymbolTable;
} // namespace mlir

namespace mlir::ssm {

/// Erases those of the loads of globals whose results are not used, and the globals that then
/// nothing names.
void eraseUnused(SymbolTable &symbols, ArrayRef<Operation *> loads);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_UNUSEDWEIGHTS_H
