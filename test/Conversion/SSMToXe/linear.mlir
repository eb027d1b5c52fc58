// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: ssmq-opt %t.mlir --pass-pipeline="builtin.module(gpu.module(convert-xegpu-to-xevm))" | FileCheck %s --check-prefix=XEVM
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false dpas=false" | FileCheck %s --check-prefix=PLAIN

// A prompt: 32 tokens meet two tiles of the weight by dpas. Sums take the unit of the group's scale,
// codes are converted in registers.
// CHECK: module attributes {{.*}}ssm.dpas = true
// CHECK: gpu.func @ssmq_launch_linear_1(
// CHECK: %[[INPUT:.*]] = xegpu.create_nd_tdesc {{.*}} !xegpu.tensor_desc<8x16xf16>
// CHECK: %[[RATIO:.*]] = arith.divf
// CHECK: %[[FACTOR:.*]] = vector.broadcast %[[RATIO]] : f32 to vector<8xf32>
// CHECK: arith.mulf {{.*}}, %[[FACTOR]]
// CHECK: %[[A:.*]] = xegpu.load_nd %[[INPUT]]{{.*}} -> vector<8xf16>
// CHECK-COUNT-3: xegpu.load_nd %[[INPUT]]
// CHECK: llvm.load {{.*}} -> i32
// CHECK: arith.sitofp {{.*}} : vector<4xi8> to vector<4xf16>
// CHECK: %[[B:.*]] = vector.from_elements {{.*}} : vector<16xf16>
// CHECK-NEXT: xegpu.dpas %[[A]], %[[B]], {{.*}} : vector<8xf16>, vector<16xf16>, vector<8xf32> -> vector<8xf32>
// CHECK-COUNT-3: xegpu.dpas
// CHECK-NOT: xegpu.dpas

// One token: eight sub-groups share a tile, 512 bytes in turn, and meet in memory of the work-group.
// CHECK: gpu.func @ssmq_launch_linear_3(
// CHECK: scf.for {{.*}} to %c4{{.*}} step %c8
// CHECK-COUNT-8: llvm.load {{.*}} -> i32
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: math.fma
// CHECK: gpu.barrier
// CHECK: scf.if

// XEVM: gpu.func @ssmq_launch_linear_1(
// XEVM: xevm.blockload2d {{.*}}L1c_{{.*}}elem_size_in_bits = 16 : i32{{.*}}tile_height = 8 : i32, tile_width = 16 : i32
// XEVM: xevm.mma {{.*}}shape = <m = 8, n = 16, k = 16>
// XEVM: gpu.func @ssmq_launch_linear_3(

// PLAIN: module attributes {{.*}}ssm.dpas = false
// PLAIN-NOT: xegpu

ml_program.global private @embed(#ml_program.extern : tensor<640x256xf16>) : tensor<640x256xf16>
ml_program.global private @codes(#ml_program.extern : tensor<40x2048xi8>) : tensor<40x2048xi8>
ml_program.global private @scales(#ml_program.extern : tensor<40x2x16xf16>) : tensor<40x2x16xf16>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x640xf32> {
  %embed = ml_program.global_load_const @embed : tensor<640x256xf16>
  %codes = ml_program.global_load_const @codes : tensor<40x2048xi8>
  %scales = ml_program.global_load_const @scales : tensor<40x2x16xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<640x256xf16>) -> tensor<?x256xf32>
  %1 = ssm.linear %0, %codes scales %scales {group_size = 128 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x256xf32>, tensor<40x2048xi8>, tensor<40x2x16xf16>) -> tensor<?x640xf32>
  return %1 : tensor<?x640xf32>
}
