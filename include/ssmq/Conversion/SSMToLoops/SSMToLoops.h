//===- SSMToLoops.h - Small code from stored formats ------------*- C++ -*-===//
//
// For machines where bytes count: ssm.linear and ssm.diagonal_scan become loops over numbers, on
// tensors, which read weights in the format that they are stored in (any integer, logpolar, floats)
// where they use them, and keep the state in the codes of its format. A step may be repeated, but
// its number must be known.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_CONVERSION_SSMTOLOOPS_SSMTOLOOPS_H
#define SSMQ_CONVERSION_SSMTOLOOPS_SSMTOLOOPS_H

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// Rewrites those ops whose formats have loops; others stay. Arguments of @forward that hold states
/// in codes take the type of these, and in dynamic formats are followed by one for the grids, all
/// of whose zeros are a state of zeros. `lookup` gives the magnitudes of logpolar weights.
void convertToLoops(ModuleOp module, const WeightLookup &lookup);

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_SSMTOLOOPS_SSMTOLOOPS_H
