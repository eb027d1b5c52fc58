// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2,11,4,4,9 --compare=reference,fast,compiled%xe --chunkings=4
// Four heads of three channels in two groups, state size 7; then one group, no skip, state size 24.

ml_program.global private @x(#ml_program.extern : tensor<12x12xf32>) : tensor<12x12xf32>
ml_program.global private @dt(#ml_program.extern : tensor<12x4xf32>) : tensor<12x4xf32>
ml_program.global private @b(#ml_program.extern : tensor<12x14xf32>) : tensor<12x14xf32>
ml_program.global private @c(#ml_program.extern : tensor<12x24xf32>) : tensor<12x24xf32>
ml_program.global private @a_log(#ml_program.extern : tensor<4xf32>) : tensor<4xf32>
ml_program.global private @skip(#ml_program.extern : tensor<4xbf16>) : tensor<4xbf16>

func.func @forward(%tokens: tensor<?xi32>, %first: tensor<4x3x7xf32> {ssm.state = "first"},
                   %second: tensor<4x3x24xf32> {ssm.state = "second"})
    -> (tensor<?x12xf32>, tensor<4x3x7xf32>, tensor<4x3x24xf32>) {
  %x_table = ml_program.global_load_const @x : tensor<12x12xf32>
  %dt_table = ml_program.global_load_const @dt : tensor<12x4xf32>
  %b_table = ml_program.global_load_const @b : tensor<12x14xf32>
  %c_table = ml_program.global_load_const @c : tensor<12x24xf32>
  %a_log = ml_program.global_load_const @a_log : tensor<4xf32>
  %skip = ml_program.global_load_const @skip : tensor<4xbf16>
  %a_exp = math.exp %a_log : tensor<4xf32>
  %a = arith.negf %a_exp : tensor<4xf32>
  %x = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<12x12xf32>) -> tensor<?x12xf32>
  %dt_in = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<12x4xf32>) -> tensor<?x4xf32>
  %b = ssm.embedding %tokens, %b_table : (tensor<?xi32>, tensor<12x14xf32>) -> tensor<?x14xf32>
  %c = ssm.embedding %tokens, %c_table : (tensor<?xi32>, tensor<12x24xf32>) -> tensor<?x24xf32>
  %dt_exp = math.exp %dt_in : tensor<?x4xf32>
  %dt = math.log1p %dt_exp : tensor<?x4xf32>
  %y, %next_first = ssm.ssd_scan %x dt %dt a %a b %b c %b d %skip state %first
    : (tensor<?x12xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x14xf32>, tensor<?x14xf32>,
       tensor<4xbf16>, tensor<4x3x7xf32>) -> (tensor<?x12xf32>, tensor<4x3x7xf32>)
  %z, %next_second = ssm.ssd_scan %y dt %dt a %a b %c c %c state %second
    : (tensor<?x12xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x24xf32>, tensor<?x24xf32>,
       tensor<4x3x24xf32>) -> (tensor<?x12xf32>, tensor<4x3x24xf32>)
  return %z, %next_first, %next_second : tensor<?x12xf32>, tensor<4x3x7xf32>, tensor<4x3x24xf32>
}
