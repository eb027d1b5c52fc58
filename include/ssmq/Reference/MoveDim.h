//===- MoveDim.h - Channels first and back ----------------------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_MOVEDIM_H
#define SSMQ_REFERENCE_MOVEDIM_H

#include "ssmq/Support/Tensor.h"

namespace mlir::ssm {

/// The weight (f32) with dimension `from` moved to `to`, one of which is 0: formats want channels
/// first.
::ssmq::Tensor moveDim(const ::ssmq::Tensor &value, unsigned from, unsigned to);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_MOVEDIM_H
