//===- WideHead.h - The state of a head in f32 ------------------*- C++ -*-===//
//
// What ssm.ssd_scan works on while the tokens of a call pass: the state itself where it is f32,
// else a copy that is widened before the first token and rounded behind the last.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDEHEAD_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDEHEAD_H

#include "StateRows.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

class WideHead {
public:
  WideHead(KernelBuilder &k, SSDScanOp::Adaptor op, Value head);

  /// The channels of the head are rows of this buffer, behind the leading index.
  Value getBuffer() const { return buffer; }
  Value getIndex() const { return index; }
  /// Stores the state, and ends its use.
  void finish();

  static bool hasOneScale(SSDScanOp::Adaptor op);

private:
  StateRows::Place placeOf(Value row) const;
  void overRows(function_ref<void(Value row)> body);
  /// The largest magnitude's bits over all rows.
  Value mostOfHead();

  KernelBuilder &k;
  Value head, buffer, index;
  int64_t headDim, states;
  bool isStored, oneScale;
  StateRows stored;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_WIDEHEAD_H
