//===- FormatChecks.h - Formats that ops carry ------------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_IR_FORMATCHECKS_H
#define SSMQ_DIALECT_SSM_IR_FORMATCHECKS_H

#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/ValueLayout.h"

namespace mlir::ssm {

/// Fails at `op` when the format cannot hold the layout or `ranges` (may be null) are not what it
/// needs: finite pairs low <= 0 <= high, one a scale of a static format, none of a dynamic one.
LogicalResult verifyFormat(Operation *op, FormatAttr format, const ::ssmq::ValueLayout &layout,
                           DenseF32ArrayAttr ranges);

/// The same for the state that the op rounds itself; without a format there must be no ranges. A
/// state that is not f32 must have the type, and `scales` the shape, in which the format is stored.
LogicalResult verifyStateFormat(QuantizableOpInterface op, FormatAttr format,
                                DenseF32ArrayAttr ranges, Value scales = {});

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_FORMATCHECKS_H
