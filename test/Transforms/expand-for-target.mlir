// What the processor has instructions for stays.
// RUN: ssmq-opt %s --ssmq-expand-for-target=target=x86-64-v3 | FileCheck %s --check-prefix=NEW
// RUN: ssmq-opt %s --ssmq-expand-for-target=target=x86-64 | FileCheck %s --check-prefix=OLD
// RUN: ssmq-opt %s --ssmq-expand-for-target=target=cortex-m4 | FileCheck %s --check-prefix=SMALL
// RUN: not ssmq-opt %s --ssmq-expand-for-target=target=none 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: unknown target 'none'

// NEW-LABEL: func.func @all
// NEW: math.fma
// NEW: math.roundeven
// NEW: arith.extf
// NEW: arith.truncf
// NEW: arith.maximumf
// OLD-LABEL: func.func @all
// OLD-NOT: math.fma
// OLD: arith.mulf %{{.*}}, %{{.*}} : vector<4xf32>
// OLD: arith.addf %{{.*}}, %{{.*}} : vector<4xf32>
// OLD-NOT: math.roundeven
// OLD-NOT: arith.extf
// OLD-NOT: arith.truncf
// OLD-NOT: arith.maximumf
// OLD: return
// It has vcvtb and vfma, but no vrintn.
// SMALL-LABEL: func.func @all
// SMALL: math.fma
// SMALL-NOT: math.roundeven
// SMALL: arith.extf
// SMALL: arith.truncf
// SMALL: arith.maximumf
func.func @all(%x: vector<4xf32>, %h: f16) -> (vector<4xf32>, vector<4xf32>, f32, f16, f32) {
  %fma = math.fma %x, %x, %x : vector<4xf32>
  %even = math.roundeven %x : vector<4xf32>
  %wide = arith.extf %h : f16 to f32
  %sum = arith.addf %wide, %wide : f32
  %half = arith.truncf %sum : f32 to f16
  %most = arith.maximumf %sum, %wide : f32
  return %fma, %even, %wide, %half, %most : vector<4xf32>, vector<4xf32>, f32, f16, f32
}
