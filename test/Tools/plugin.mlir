// The stock mlir-opt reads our dialect, and our tool carries no second copy of MLIR.
// RUN: mlir-opt --load-dialect-plugin=%ssmq_plugin --load-pass-plugin=%ssmq_plugin --canonicalize %s | FileCheck %s
// RUN: ssmq-opt --load-pass-plugin=%ssmq_plugin %s | FileCheck %s
// RUN: llvm-nm --defined-only -C %ssmq_bin/ssmq-opt | FileCheck %s --check-prefix=NM --allow-empty
// RUN: llvm-nm --defined-only -C %ssmq_plugin | FileCheck %s --check-prefix=NM --allow-empty
// NM-NOT: {{[TtWwVvBbDd]}} mlir::MLIRContext::

// CHECK: ssm.embedding
func.func @embedding(%ids: tensor<?xi32>, %w: tensor<8x4xf16>) -> tensor<?x4xf32> {
  %0 = ssm.embedding %ids, %w : (tensor<?xi32>, tensor<8x4xf16>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
