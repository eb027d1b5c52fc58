//===- SplatToFill.h - tensor.splat to linalg.fill --------------*- C++ -*-===//

#ifndef SSMQ_LIB_DIALECT_SSM_TRANSFORMS_SPLATTOFILL_H
#define SSMQ_LIB_DIALECT_SSM_TRANSFORMS_SPLATTOFILL_H

namespace mlir {
class RewritePatternSet;
}

namespace mlir::ssm {

/// A splat becomes a fill, which upstream's patterns fuse and refine.
void populateSplatToFill(RewritePatternSet &patterns);

} // namespace mlir::ssm

#endif // SSMQ_LIB_DIALECT_SSM_TRANSFORMS_SPLATTOFILL_H
