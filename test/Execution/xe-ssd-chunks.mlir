// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-opt %s --ssmq-store-states -o %t.mlir
// RUN: ssmq-run %t.mlir --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,1,2 --compare=reference,xe --lowering="dpas=true narrow=off" --chunkings=2 --tolerance=4e-3
// RUN: ssmq-run %t.mlir --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,0,10,7,7,1,5,8,2,11,4,4,9,3,1,2 --compare=reference,xe --lowering=dpas=true --chunkings=2 --tolerance=8e-3 --chunk-tolerance=1e-3
// f16 operands: 2^-10 of the largest result, 3.9, and twice that where they lie in f16, dt among them.
// Prompts of 32 tokens and more by chunks, of which
// the last is not full; shorter ones by the recurrence. Heads of 16 channels in two groups and a
// state of 16; one group, no skip, heads of 32 channels and a state of 48, which sub-groups cannot
// share evenly; codes with a scale a head and a channel.

ml_program.global private @x(#ml_program.extern : tensor<12x64xf32>) : tensor<12x64xf32>
ml_program.global private @dt(#ml_program.extern : tensor<12x4xf32>) : tensor<12x4xf32>
ml_program.global private @b(#ml_program.extern : tensor<12x32xf32>) : tensor<12x32xf32>
ml_program.global private @c(#ml_program.extern : tensor<12x48xf32>) : tensor<12x48xf32>
ml_program.global private @a_log(#ml_program.extern : tensor<4xf32>) : tensor<4xf32>
ml_program.global private @few_a_log(#ml_program.extern : tensor<2xf32>) : tensor<2xf32>
ml_program.global private @few_dt(#ml_program.extern : tensor<12x2xf32>) : tensor<12x2xf32>
ml_program.global private @skip(#ml_program.extern : tensor<4xbf16>) : tensor<4xbf16>

func.func @forward(%tokens: tensor<?xi32>, %s0: tensor<4x16x16xf32> {ssm.state = "s0"},
                   %s1: tensor<2x32x48xf32> {ssm.state = "s1"},
                   %s2: tensor<2x32x32xf32> {ssm.state = "s2"},
                   %s3: tensor<4x16x32xf32> {ssm.state = "s3"})
    -> (tensor<?x64xf32>, tensor<4x16x16xf32>, tensor<2x32x48xf32>, tensor<2x32x32xf32>,
        tensor<4x16x32xf32>) {
  %x_table = ml_program.global_load_const @x : tensor<12x64xf32>
  %dt_table = ml_program.global_load_const @dt : tensor<12x4xf32>
  %few_dt_table = ml_program.global_load_const @few_dt : tensor<12x2xf32>
  %b_table = ml_program.global_load_const @b : tensor<12x32xf32>
  %c_table = ml_program.global_load_const @c : tensor<12x48xf32>
  %a_log = ml_program.global_load_const @a_log : tensor<4xf32>
  %few_a_log = ml_program.global_load_const @few_a_log : tensor<2xf32>
  %skip = ml_program.global_load_const @skip : tensor<4xbf16>
  %a_exp = math.exp %a_log : tensor<4xf32>
  %a = arith.negf %a_exp : tensor<4xf32>
  %few_a_exp = math.exp %few_a_log : tensor<2xf32>
  %few_a = arith.negf %few_a_exp : tensor<2xf32>
  %x = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<12x64xf32>) -> tensor<?x64xf32>
  %dt_in = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<12x4xf32>) -> tensor<?x4xf32>
  %few_dt_in = ssm.embedding %tokens, %few_dt_table
    : (tensor<?xi32>, tensor<12x2xf32>) -> tensor<?x2xf32>
  %b = ssm.embedding %tokens, %b_table : (tensor<?xi32>, tensor<12x32xf32>) -> tensor<?x32xf32>
  %c = ssm.embedding %tokens, %c_table : (tensor<?xi32>, tensor<12x48xf32>) -> tensor<?x48xf32>
  %dt_exp = math.exp %dt_in : tensor<?x4xf32>
  %dt = math.log1p %dt_exp : tensor<?x4xf32>
  %few_dt_exp = math.exp %few_dt_in : tensor<?x2xf32>
  %few_dt = math.log1p %few_dt_exp : tensor<?x2xf32>
  %y0, %n0 = ssm.ssd_scan %x dt %dt a %a b %b c %b d %skip state %s0
    : (tensor<?x64xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x32xf32>, tensor<?x32xf32>,
       tensor<4xbf16>, tensor<4x16x16xf32>) -> (tensor<?x64xf32>, tensor<4x16x16xf32>)
  %y1, %n1 = ssm.ssd_scan %x dt %few_dt a %few_a b %c c %c state %s1
      {state_format = #ssm.format<"f16">}
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x48xf32>, tensor<?x48xf32>,
       tensor<2x32x48xf32>) -> (tensor<?x64xf32>, tensor<2x32x48xf32>)
  %y2, %n2 = ssm.ssd_scan %x dt %few_dt a %few_a b %b c %b state %s2
      {state_format = #ssm.format<"i8 sym per_head">}
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x32xf32>, tensor<?x32xf32>,
       tensor<2x32x32xf32>) -> (tensor<?x64xf32>, tensor<2x32x32xf32>)
  %y3, %n3 = ssm.ssd_scan %x dt %dt a %a b %b c %b state %s3
      {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x64xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x32xf32>, tensor<?x32xf32>,
       tensor<4x16x32xf32>) -> (tensor<?x64xf32>, tensor<4x16x32xf32>)
  %z1 = arith.addf %y0, %y1 : tensor<?x64xf32>
  %z2 = arith.addf %z1, %y2 : tensor<?x64xf32>
  %z3 = arith.addf %z2, %y3 : tensor<?x64xf32>
  return %z3, %n0, %n1, %n2, %n3 : tensor<?x64xf32>, tensor<4x16x16xf32>, tensor<2x32x48xf32>,
    tensor<2x32x32xf32>, tensor<4x16x32xf32>
}
