//===- QuantizableOpInterface.h - Ops with quantization sites ---*- C++ -*-===//

#ifndef SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H
#define SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "ssmq/Formats/ValueLayout.h"

namespace mlir::ssm {

/// An operand that can hold quantized values.
struct OperandSite {
  OpOperand *operand;
  ::ssmq::SiteKind kind;
  /// What the value is to the op, such as "input": the site's name is the op's path, ':' and this.
  /// A name with a ':' is the whole name of the site.
  StringRef name;
  /// Channels that a head has; 0 where there are no heads.
  int64_t headSize = 0;
  /// Whether the op itself changes the value from token to token, so that it is rounded inside the
  /// op, after each step, and not where the operand comes from.
  bool insideOp = false;
};

} // namespace mlir::ssm

#include "ssmq/Interfaces/QuantizableOpInterface.h.inc"

#endif // SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H
