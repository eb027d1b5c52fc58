//===- CheckFormats.h - Formats that have kernels ---------------*- C++ -*-===//

#ifndef SSMQ_CONVERSION_ROUNDING_CHECKFORMATS_H
#define SSMQ_CONVERSION_ROUNDING_CHECKFORMATS_H

#include "mlir/IR/Operation.h"

namespace mlir::ssm {

/// Fails with one line at an op whose quantized weight does not come as bytes, or in codes of a
/// width that no kernel unpacks.
LogicalResult checkWeight(Operation *op);
/// Fails with one line at an op that only the interpreter can run, because no kernel decodes or
/// rounds to its format.
LogicalResult checkFormats(Operation *op);

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_ROUNDING_CHECKFORMATS_H
