//===- TiledLinearEmitter.h - f32 products with tiled weights ---*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDLINEAREMITTER_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDLINEAREMITTER_H

#include "KernelBuilder.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

/// The kernel of an ssm.linear with `tile_rows`.
void emitTiledLinear(KernelBuilder &k, LinearOp::Adaptor op, Value result);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDLINEAREMITTER_H
