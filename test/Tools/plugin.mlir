// The stock mlir-opt reads our dialect, and our tool carries no second copy of MLIR.
// RUN: mlir-opt --load-dialect-plugin=%ssmq_plugin --load-pass-plugin=%ssmq_plugin --pass-pipeline="builtin.module(canonicalize,ssmq-assign{method=uniform format=int4:g2})" %s | FileCheck %s --check-prefixes=CHECK,PASS
// RUN: ssmq-opt --load-pass-plugin=%ssmq_plugin %s | FileCheck %s
// RUN: llvm-nm --defined-only -C %ssmq_bin/ssmq-opt | FileCheck %s --check-prefix=NM --allow-empty
// RUN: llvm-nm --defined-only -C %ssmq_plugin | FileCheck %s --check-prefix=NM --allow-empty
// NM-NOT: {{[TtWwVvBbDd]}} mlir::MLIRContext::

// PASS: @table{{.*}} {ssm.format = #ssm.format<"i4 sym group=2">}
ml_program.global private @table(#ml_program.extern : tensor<8x4xf16>) : tensor<8x4xf16>
// CHECK: ssm.embedding
func.func @embedding(%ids: tensor<?xi32>) -> tensor<?x4xf32> {
  %w = ml_program.global_load_const @table : tensor<8x4xf16>
  %0 = ssm.embedding %ids, %w : (tensor<?xi32>, tensor<8x4xf16>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
