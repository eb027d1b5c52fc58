// One token meets a weight of int4 in tiles, from the op to SPIR-V. Eight sub-groups share a tile of 16
// rows, a row a lane, and meet in memory of the work-group.
// RUN: ssmq-opt %s --pass-pipeline="builtin.module(ssmq-specialize-tokens,func.func(ssmq-form-launches))" | FileCheck %s --check-prefix=LAUNCH
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false" -o %t.mlir
// RUN: FileCheck %s --input-file %t.mlir --check-prefix=GPU
// RUN: ssmq-opt %t.mlir --pass-pipeline="builtin.module(gpu.module(convert-xegpu-to-xevm,convert-gpu-to-llvm-spv{use-64bit-index=true}))" | FileCheck %s --check-prefix=LLVM
// RUN: ssmq-run %s --emit=spirv --external-weights --lowering="prefill=false" -o %t.spv
// RUN: %if spirv-dis %{ spirv-dis %t.spv | FileCheck %s --check-prefix=SPIRV %}

// LAUNCH: ssm.launch
// LAUNCH: ssm.linear {{.*}} : (tensor<1x64xf32>,

// GPU: gpu.func @ssmq_launch_linear_3({{.*}}intel_reqd_sub_group_size = 16 : i32, known_block_size = array<i32: 128, 1, 1>
// GPU-NOT: xegpu
// GPU: scf.for
// GPU: llvm.load {{.*}} -> f16
// GPU-COUNT-8: llvm.load {{.*}} -> i32
// GPU: llvm.load {{.*}} -> vector<8xf32>
// GPU-COUNT-8: math.fma
// GPU: gpu.barrier
// GPU: gpu.return

// LLVM: llvm.func spir_kernelcc @ssmq_launch_linear_3(
// LLVM: llvm.call spir_funccc @_Z7barrierj(

// SPIRV: OpExecutionMode %ssmq_launch_linear_3 LocalSize 128 1 1
// SPIRV: OpExecutionMode %ssmq_launch_linear_3 SubgroupSize 16
// SPIRV: %ssmq_launch_linear_3 = OpFunction
// SPIRV-COUNT-8: OpLoad %uint %{{.*}} Aligned 4
// SPIRV: OpLoad %v8float
// SPIRV: OpExtInst %float %{{.*}} fma
// SPIRV: OpControlBarrier %uint_2 %uint_2

ml_program.global private @embed(#ml_program.extern : tensor<32x64xf32>) : tensor<32x64xf32>
ml_program.global private @codes(#ml_program.extern : tensor<2x512xi8>) : tensor<2x512xi8>
ml_program.global private @scales(#ml_program.extern : tensor<2x1x16xf16>) : tensor<2x1x16xf16>
func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x32xf32> {
  %embed = ml_program.global_load_const @embed : tensor<32x64xf32>
  %codes = ml_program.global_load_const @codes : tensor<2x512xi8>
  %scales = ml_program.global_load_const @scales : tensor<2x1x16xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<32x64xf32>) -> tensor<?x64xf32>
  %1 = ssm.linear %0, %codes scales %scales {group_size = 64 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<2x512xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return %1 : tensor<?x32xf32>
}
