//===- CheckFormats.h - Formats that have kernels ---------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_CHECKFORMATS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_CHECKFORMATS_H

#include "mlir/IR/Operation.h"

namespace mlir::ssm {

/// Fails with one line at an op that only the interpreter can run, because no kernel decodes or
/// rounds to its format.
LogicalResult checkFormats(Operation *op);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_CHECKFORMATS_H
