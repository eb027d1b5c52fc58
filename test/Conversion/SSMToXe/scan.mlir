// A scan that goes from token to token, from the op to SPIR-V: a sub-group has two rows of the state, a
// column a lane, in registers; shuffles sum a result over the columns.
// RUN: ssmq-opt %s --pass-pipeline="builtin.module(func.func(ssmq-form-launches))" | FileCheck %s --check-prefix=LAUNCH
// RUN: ssmq-opt %s --ssmq-xe-launches="prefill=false decode=false dpas=false" -o %t.mlir
// RUN: FileCheck %s --input-file %t.mlir --check-prefix=GPU
// RUN: ssmq-opt %t.mlir --pass-pipeline="builtin.module(gpu.module(convert-gpu-to-llvm-spv{use-64bit-index=true}))" | FileCheck %s --check-prefix=LLVM
// RUN: ssmq-run %s --emit=spirv --external-weights --lowering="prefill=false decode=false dpas=false" -o %t.spv
// RUN: %if spirv-dis %{ spirv-dis %t.spv | FileCheck %s --check-prefix=SPIRV %}

// LAUNCH: ssm.launch
// LAUNCH: ssm.ssd_scan

// GPU: gpu.func @ssmq_launch_ssd_scan_2({{.*}}intel_reqd_sub_group_size = 16 : i32
// GPU-COUNT-2: llvm.load {{.*}} -> f32
// GPU: %[[STATE:.*]]:2 = scf.for {{.*}} -> (f32, f32)
// GPU: math.exp
// GPU: math.fma
// GPU-COUNT-8: gpu.shuffle xor
// GPU: scf.yield
// GPU: llvm.store %[[STATE]]#0
// GPU: llvm.store %[[STATE]]#1

// LLVM: llvm.func spir_kernelcc @ssmq_launch_ssd_scan_2(
// LLVM-COUNT-8: llvm.call spir_funccc @_Z21sub_group_shuffle_xorfj(

// SPIRV: OpExecutionMode %ssmq_launch_ssd_scan_2 SubgroupSize 16
// SPIRV: %ssmq_launch_ssd_scan_2 = OpFunction
// SPIRV: OpPhi %float
// SPIRV: OpExtInst %float %{{.*}} exp
// SPIRV: OpExtInst %float %{{.*}} fma
// SPIRV-COUNT-8: OpGroupNonUniformShuffleXor %float %uint_3
// SPIRV: OpStore

ml_program.global private @dt(#ml_program.extern : tensor<8x1xf32>) : tensor<8x1xf32>
ml_program.global private @x(#ml_program.extern : tensor<8x16xf32>) : tensor<8x16xf32>
ml_program.global private @a(#ml_program.extern : tensor<1xf32>) : tensor<1xf32>
func.func @forward(%tokens: tensor<?xi32>, %state: tensor<1x16x16xf32> {ssm.state = "s"})
    -> (tensor<?x16xf32>, tensor<1x16x16xf32>) {
  %table = ml_program.global_load_const @x : tensor<8x16xf32>
  %dts = ml_program.global_load_const @dt : tensor<8x1xf32>
  %a = ml_program.global_load_const @a : tensor<1xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  %dt = ssm.embedding %tokens, %dts : (tensor<?xi32>, tensor<8x1xf32>) -> tensor<?x1xf32>
  %y, %next = ssm.ssd_scan %x dt %dt a %a b %x c %x state %state
    : (tensor<?x16xf32>, tensor<?x1xf32>, tensor<1xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<1x16x16xf32>) -> (tensor<?x16xf32>, tensor<1x16x16xf32>)
  return %y, %next : tensor<?x16xf32>, tensor<1x16x16xf32>
}
