// A prompt meets a weight in f16, from the op to SPIR-V: 32 tokens and two tiles of 16 rows a sub-group.
// Activations lie in f16, as dpas takes them, or in f32 or bf16, which are rounded once they are loaded.
// RUN: ssmq-opt %s --pass-pipeline="builtin.module(func.func(ssmq-form-launches))" | FileCheck %s --check-prefix=LAUNCH
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false decode=false narrow=off" -o %t.mlir
// RUN: FileCheck %s --input-file %t.mlir --check-prefix=XEGPU
// RUN: ssmq-opt %t.mlir --pass-pipeline="builtin.module(gpu.module(convert-xegpu-to-xevm))" | FileCheck %s --check-prefix=XEVM
// RUN: ssmq-run %s --emit=spirv --external-weights --lowering="prefill=false decode=false narrow=off" -o %t.spv
// RUN: %if spirv-dis %{ spirv-dis %t.spv | FileCheck %s --check-prefix=SPIRV %}
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false decode=false" | FileCheck %s --check-prefix=HALF
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false decode=false narrow=bf16" | FileCheck %s --check-prefix=BF16
// RUN: ssmq-run %s --emit=spirv --external-weights --lowering="prefill=false decode=false" -o %t.spv
// RUN: %if spirv-dis %{ spirv-dis %t.spv | FileCheck %s --check-prefix=SPIRV16 %}

// LAUNCH: ssm.launch
// LAUNCH: ssm.linear {{.*}} : (tensor<?x64xf32>, tensor<64x64xf16>) -> tensor<?x64xf32>

// XEGPU: gpu.func @ssmq_launch_linear_1({{.*}}intel_reqd_sub_group_size = 16 : i32, known_block_size = array<i32: 128, 1, 1>
// XEGPU: %[[INPUT:.*]] = xegpu.create_nd_tdesc {{.*}} -> !xegpu.tensor_desc<8x16xf32>
// XEGPU: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>
// XEGPU: %[[ROWS:.*]] = xegpu.load_nd %[[INPUT]]{{.*}} -> vector<8xf32>
// XEGPU: %[[A:.*]] = arith.truncf %[[ROWS]] : vector<8xf32> to vector<8xf16>
// XEGPU-COUNT-3: xegpu.load_nd %[[INPUT]]
// XEGPU: %[[B:.*]] = llvm.load {{.*}} -> vector<16xf16>
// XEGPU-NEXT: xegpu.dpas %[[A]], %[[B]], {{.*}} : vector<8xf16>, vector<16xf16>, vector<8xf32> -> vector<8xf32>
// XEGPU-COUNT-7: xegpu.dpas
// XEGPU-NOT: xegpu.dpas

// HALF: gpu.func @ssmq_launch_embedding_0(
// HALF: %[[ROUNDED:.*]] = arith.truncf {{.*}} : f32 to f16
// HALF: llvm.store %[[ROUNDED]]
// HALF: gpu.func @ssmq_launch_linear_1(
// HALF: %[[INPUT:.*]] = xegpu.create_nd_tdesc {{.*}} -> !xegpu.tensor_desc<8x16xf16>
// HALF: %[[A:.*]] = xegpu.load_nd %[[INPUT]]{{.*}} -> vector<8xf16>
// HALF-COUNT-3: xegpu.load_nd %[[INPUT]]
// HALF: xegpu.dpas %[[A]],
// HALF: llvm.store {{.*}} : f32, !llvm.ptr<1>

// BF16: gpu.func @ssmq_launch_linear_1(
// BF16: %[[INPUT:.*]] = xegpu.create_nd_tdesc {{.*}} -> !xegpu.tensor_desc<8x16xi16>
// BF16: %[[BITS:.*]] = xegpu.load_nd %[[INPUT]]{{.*}} -> vector<8xi16>
// BF16: %[[ROWS:.*]] = arith.bitcast %[[BITS]] : vector<8xi16> to vector<8xbf16>
// BF16: %[[WIDE:.*]] = arith.extf %[[ROWS]] : vector<8xbf16> to vector<8xf32>
// BF16: %[[A:.*]] = arith.truncf %[[WIDE]] : vector<8xf32> to vector<8xf16>
// BF16: xegpu.dpas %[[A]],

// XEVM-COUNT-4: xevm.blockload2d {{.*}}elem_size_in_bits = 32 : i32{{.*}}tile_height = 8 : i32, tile_width = 16 : i32
// XEVM-COUNT-8: xevm.mma {{.*}}shape = <m = 8, n = 16, k = 16>, types = <d = f32, a = f16, b = f16, c = f32>

// SPIRV-DAG: OpExecutionMode %ssmq_launch_linear_1 SubgroupSize 16
// SPIRV-DAG: OpDecorate %[[LOAD:.*]] LinkageAttributes "_Z41intel_sub_group_2d_block_read_32b_8r16x1c{{.*}}" Import
// SPIRV-DAG: OpDecorate %[[DPAS:.*]] LinkageAttributes "_Z38intel_sub_group_f16_f16_matrix_mad_k16Dv8_s{{.*}}" Import
// SPIRV-DAG: OpDecorate %[[BLOCK:.*]] Alignment 64
// SPIRV: %ssmq_launch_linear_1 = OpFunction
// SPIRV: %[[BLOCK]] = OpVariable
// SPIRV-COUNT-4: OpFunctionCall %void %[[LOAD]]
// SPIRV-COUNT-8: OpFunctionCall %v8float %[[DPAS]]

// SPIRV16-DAG: OpDecorate %{{.*}} LinkageAttributes "_Z41intel_sub_group_2d_block_read_16b_8r16x1c{{.*}}" Import
// SPIRV16-DAG: OpDecorate %{{.*}} LinkageAttributes "_Z38intel_sub_group_f16_f16_matrix_mad_k16Dv8_s{{.*}}" Import

ml_program.global private @embed(#ml_program.extern : tensor<32x64xf32>) : tensor<32x64xf32>
ml_program.global private @w(#ml_program.extern : tensor<64x64xf16>) : tensor<64x64xf16>
func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x64xf32> {
  %embed = ml_program.global_load_const @embed : tensor<32x64xf32>
  %w = ml_program.global_load_const @w : tensor<64x64xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<32x64xf32>) -> tensor<?x64xf32>
  %1 = ssm.linear %0, %w : (tensor<?x64xf32>, tensor<64x64xf16>) -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}
