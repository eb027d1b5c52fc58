// RUN: ssmq-opt %s --ssmq-bufferize="target=lunarlake decode=false" | FileCheck %s --check-prefixes=CHECK,LUNAR
// RUN: ssmq-opt %s --ssmq-bufferize="target=lunarlake schedule=static vector-width=4 decode=false" | FileCheck %s --check-prefixes=CHECK,STATIC
// RUN: ssmq-opt %s --ssmq-bufferize="target=x86-64-v4 decode=false" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: ssmq-opt %s --ssmq-bufferize="target=x86-64-v4 features=-avx512f schedule=dynamic decode=false" | FileCheck %s --check-prefixes=CHECK,LUNAR
// RUN: not ssmq-opt %s --ssmq-bufferize="target=moonlake" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not ssmq-opt %s --ssmq-bufferize="features=avx2" 2>&1 | FileCheck %s --check-prefix=FEATURE
// RUN: not ssmq-opt %s --ssmq-bufferize="schedule=random" 2>&1 | FileCheck %s --check-prefix=SCHEDULE

// NAME: error: unknown target 'moonlake'; known are host, lunarlake,
// FEATURE: error: a feature is written +name or -name, but 'avx2' is not
// SCHEDULE: error: schedule must be auto, static or dynamic, but is random

// A processor with unequal cores hands out pieces of a loop; equal cores take equal shares.
// CHECK: ssm.kernel_target = {
// LUNAR-SAME: dynamic_schedule = 1
// STATIC-SAME: dynamic_schedule = 0
// WIDE-SAME: dynamic_schedule = 0
// CHECK: func.func private @ssmq_linear
// LUNAR: omp.wsloop schedule(guided = %{{.*}} : index)
// LUNAR: vector<8xf32>
// STATIC: omp.wsloop {
// STATIC: vector<4xf32>
// WIDE: omp.wsloop {
// WIDE: vector<16xf32>
func.func @forward(%x: tensor<?x2048xf32>, %w: tensor<2048x2048xf16>) -> tensor<?x2048xf32> {
  %0 = ssm.linear %x, %w : (tensor<?x2048xf32>, tensor<2048x2048xf16>) -> tensor<?x2048xf32>
  return %0 : tensor<?x2048xf32>
}
