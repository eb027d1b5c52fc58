// RUN: ssmq-opt %s --ssmq-integer-linear --cse | FileCheck %s
// RUN: ssmq-opt %s --ssmq-bufferize="dot-product=avx512_vnni vector-width=16 decode=false" | FileCheck %s --check-prefix=VNNI512
// RUN: ssmq-opt %s --ssmq-bufferize="dot-product=avx_vnni vector-width=8 decode=false" | FileCheck %s --check-prefix=VNNI
// RUN: ssmq-opt %s --ssmq-bufferize="dot-product=avx_vnni_int8 vector-width=8 decode=false" | FileCheck %s --check-prefix=INT8
// RUN: ssmq-opt %s --ssmq-bufferize="dot-product=avx2 vector-width=8 decode=false" | FileCheck %s --check-prefix=AVX2
// RUN: ssmq-opt %s --ssmq-bufferize="dot-product=none vector-width=8 decode=false" | FileCheck %s --check-prefix=NONE
// RUN: not ssmq-opt %s --ssmq-bufferize="dot-product=mmx" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: dot-product must be auto, none, avx2, avx_vnni, avx_vnni_int8 or avx512_vnni, but is mmx

// Weights of 4 and of 8 bits in groups of whole blocks share the codes.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: ssm.fake_quantize
// CHECK: %[[CODES:.*]], %[[SCALES:.*]], %[[SUMS:.*]] = ssm.quantize %{{.*}} as <"i8 sym per_token"> {block = 8 : i64, group_size = 32 : i64}
// CHECK-SAME: : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x2xi32>
// CHECK: ssm.integer_linear %[[CODES]], %[[SCALES]], %[[SUMS]], %{{.*}} scales %{{.*}} {columns = 64 : i64, group_size = 32 : i64, packed_bits = 4 : i64, scale_columns = 64 : i64}
// CHECK-NOT: ssm.quantize
// CHECK: ssm.integer_linear %[[CODES]], %[[SCALES]], %[[SUMS]], {{.*}} packed_bits = 8 : i64

// Nibbles are two masks of a word, and the offset of 8 goes into where a sum begins.
// VNNI512: func.func private @ssmq_quantize_
// VNNI512: vector.reduction <maxsi>
// VNNI512: math.roundeven
// VNNI512: func.func private @ssmq_integer_linear_
// VNNI512: arith.muli
// VNNI512: vector.load {{.*}} vector<64xi8>
// VNNI512: arith.andi {{.*}} : vector<16xi32>
// VNNI512: arith.shrui {{.*}} : vector<16xi32>
// VNNI512: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// VNNI512: arith.sitofp
// VNNI512: vector.fma
// Bytes become unsigned.
// VNNI512: func.func private @ssmq_integer_linear_
// VNNI512: arith.xori {{.*}} : vector<64xi8>
// VNNI512: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"

// VNNI: func.func private @ssmq_integer_linear_
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// VNNI: func.func private @ssmq_integer_linear_
// VNNI: arith.xori {{.*}} : vector<32xi8>
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"

// Signed bytes go in as they are, and no sum of activations is read.
// INT8: func.func private @ssmq_integer_linear_
// INT8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// INT8: func.func private @ssmq_integer_linear_
// INT8-NOT: memref.load {{.*}} : memref<?x2xi32>
// INT8-NOT: arith.xori
// INT8: llvm.call_intrinsic "llvm.x86.avx2.vpdpbssd.256"

// Several products of nibbles share the step from 16 to 32 bits.
// AVX2: func.func private @ssmq_integer_linear_
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// AVX2-NEXT: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// AVX2-NEXT: arith.addi {{.*}} : vector<16xi16>
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// AVX2: func.func private @ssmq_integer_linear_
// AVX2: arith.maxsi {{.*}} : vector<32xi8>
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.psign.b"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// AVX2-NEXT: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"

// NONE-NOT: llvm.call_intrinsic
func.func @forward(%x: tensor<?x64xf32>, %q4: tensor<2x512xi8>, %q8: tensor<2x1024xi8>,
                   %s: tensor<2x2x16xf16>) -> tensor<?x32xf32> {
  %r = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<?x64xf32>
  %0 = ssm.linear %r, %q4 scales %s {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<2x512xi8>, tensor<2x2x16xf16>) -> tensor<?x32xf32>
  %1 = ssm.linear %r, %q8 scales %s {group_size = 32 : i64, packed_bits = 8 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<2x1024xi8>, tensor<2x2x16xf16>) -> tensor<?x32xf32>
  %2 = arith.addf %0, %1 : tensor<?x32xf32>
  return %2 : tensor<?x32xf32>
}

// A group of activations that ends inside one of the weight has no integer product.
// CHECK-LABEL: func.func @short_groups
// CHECK: ssm.fake_quantize
// CHECK: ssm.linear
func.func @short_groups(%x: tensor<?x64xf32>, %q4: tensor<2x512xi8>, %s: tensor<2x2x16xf16>)
    -> tensor<?x32xf32> {
  %r = ssm.fake_quantize %x as <"i8 sym group=16"> : tensor<?x64xf32>
  %0 = ssm.linear %r, %q4 scales %s {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<2x512xi8>, tensor<2x2x16xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
