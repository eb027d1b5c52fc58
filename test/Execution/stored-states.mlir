// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-opt %s --ssmq-store-states -o %t.mlir
// RUN: ssmq-run %t.mlir --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2,4,4,9 --compare=reference,fast,compiled%xe --chunkings=4
// States in f16 and in codes, a convolution's in bf16: all carry f32 through the tokens of a call and
// round at its end, so that programs agree as those in f32 do, and divisions to a few steps.

ml_program.global private @x(#ml_program.extern : tensor<12x12xf32>) : tensor<12x12xf32>
ml_program.global private @dt(#ml_program.extern : tensor<12x4xf32>) : tensor<12x4xf32>
ml_program.global private @b(#ml_program.extern : tensor<12x14xf32>) : tensor<12x14xf32>
ml_program.global private @c(#ml_program.extern : tensor<12x7xf32>) : tensor<12x7xf32>
ml_program.global private @a_log(#ml_program.extern : tensor<4xf32>) : tensor<4xf32>
ml_program.global private @wide_a_log(#ml_program.extern : tensor<12x7xf32>) : tensor<12x7xf32>
ml_program.global private @taps(#ml_program.extern : tensor<12x1x3xf32>) : tensor<12x1x3xf32>

func.func @forward(%tokens: tensor<?xi32>, %conv: tensor<2x12xf32> {ssm.state = "conv"},
                   %first: tensor<4x3x7xf32> {ssm.state = "first"},
                   %second: tensor<4x3x7xf32> {ssm.state = "second"},
                   %third: tensor<12x7xf32> {ssm.state = "third"})
    -> (tensor<?x12xf32>, tensor<2x12xf32>, tensor<4x3x7xf32>, tensor<4x3x7xf32>, tensor<12x7xf32>) {
  %x_table = ml_program.global_load_const @x : tensor<12x12xf32>
  %dt_table = ml_program.global_load_const @dt : tensor<12x4xf32>
  %b_table = ml_program.global_load_const @b : tensor<12x14xf32>
  %c_table = ml_program.global_load_const @c : tensor<12x7xf32>
  %a_log = ml_program.global_load_const @a_log : tensor<4xf32>
  %wide_a_log = ml_program.global_load_const @wide_a_log : tensor<12x7xf32>
  %taps = ml_program.global_load_const @taps : tensor<12x1x3xf32>
  %a_exp = math.exp %a_log : tensor<4xf32>
  %a = arith.negf %a_exp : tensor<4xf32>
  %wide_a_exp = math.exp %wide_a_log : tensor<12x7xf32>
  %wide_a = arith.negf %wide_a_exp : tensor<12x7xf32>
  %ids = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<12x12xf32>) -> tensor<?x12xf32>
  %dt_in = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<12x4xf32>) -> tensor<?x4xf32>
  %b = ssm.embedding %tokens, %b_table : (tensor<?xi32>, tensor<12x14xf32>) -> tensor<?x14xf32>
  %c = ssm.embedding %tokens, %c_table : (tensor<?xi32>, tensor<12x7xf32>) -> tensor<?x7xf32>
  %dt_exp = math.exp %dt_in : tensor<?x4xf32>
  %dt = math.log1p %dt_exp : tensor<?x4xf32>
  %x, %next_conv = ssm.causal_conv1d %ids, %taps state %conv {state_format = #ssm.format<"bf16">}
    : (tensor<?x12xf32>, tensor<12x1x3xf32>, tensor<2x12xf32>) -> (tensor<?x12xf32>, tensor<2x12xf32>)
  %y, %next_first = ssm.ssd_scan %x dt %dt a %a b %b c %b state %first
      {state_format = #ssm.format<"f16">}
    : (tensor<?x12xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x14xf32>, tensor<?x14xf32>,
       tensor<4x3x7xf32>) -> (tensor<?x12xf32>, tensor<4x3x7xf32>)
  %z, %next_second = ssm.ssd_scan %y dt %dt a %a b %c c %c state %second
      {state_format = #ssm.format<"i8 sym per_head">}
    : (tensor<?x12xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x7xf32>, tensor<?x7xf32>,
       tensor<4x3x7xf32>) -> (tensor<?x12xf32>, tensor<4x3x7xf32>)
  %step = math.exp %x : tensor<?x12xf32>
  %v, %next_third = ssm.selective_scan %z dt %step a %wide_a b %c c %c state %third
      {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x12xf32>, tensor<?x12xf32>, tensor<12x7xf32>, tensor<?x7xf32>, tensor<?x7xf32>,
       tensor<12x7xf32>) -> (tensor<?x12xf32>, tensor<12x7xf32>)
  return %v, %next_conv, %next_first, %next_second, %next_third
    : tensor<?x12xf32>, tensor<2x12xf32>, tensor<4x3x7xf32>, tensor<4x3x7xf32>, tensor<12x7xf32>
}
