// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2 --compare=reference,fast,compiled%xe --chunkings=4
// With and without skip; state sizes 5 and 16.

ml_program.global private @x(#ml_program.extern : tensor<11x11xf32>) : tensor<11x11xf32>
ml_program.global private @dt(#ml_program.extern : tensor<11x11xf32>) : tensor<11x11xf32>
ml_program.global private @b(#ml_program.extern : tensor<11x5xf32>) : tensor<11x5xf32>
ml_program.global private @c(#ml_program.extern : tensor<11x16xf32>) : tensor<11x16xf32>
ml_program.global private @a_log(#ml_program.extern : tensor<11x5xf32>) : tensor<11x5xf32>
ml_program.global private @wide_a_log(#ml_program.extern : tensor<11x16xf32>) : tensor<11x16xf32>
ml_program.global private @skip(#ml_program.extern : tensor<11xf16>) : tensor<11xf16>

func.func @forward(%tokens: tensor<?xi32>, %first: tensor<11x5xf32> {ssm.state = "first"},
                   %second: tensor<11x16xf32> {ssm.state = "second"})
    -> (tensor<?x11xf32>, tensor<11x5xf32>, tensor<11x16xf32>) {
  %x_table = ml_program.global_load_const @x : tensor<11x11xf32>
  %dt_table = ml_program.global_load_const @dt : tensor<11x11xf32>
  %b_table = ml_program.global_load_const @b : tensor<11x5xf32>
  %c_table = ml_program.global_load_const @c : tensor<11x16xf32>
  %a_log = ml_program.global_load_const @a_log : tensor<11x5xf32>
  %wide_a_log = ml_program.global_load_const @wide_a_log : tensor<11x16xf32>
  %skip = ml_program.global_load_const @skip : tensor<11xf16>
  %a_exp = math.exp %a_log : tensor<11x5xf32>
  %a = arith.negf %a_exp : tensor<11x5xf32>
  %wide_a_exp = math.exp %wide_a_log : tensor<11x16xf32>
  %wide_a = arith.negf %wide_a_exp : tensor<11x16xf32>
  %x = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<11x11xf32>) -> tensor<?x11xf32>
  %dt_in = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<11x11xf32>) -> tensor<?x11xf32>
  %b = ssm.embedding %tokens, %b_table : (tensor<?xi32>, tensor<11x5xf32>) -> tensor<?x5xf32>
  %c = ssm.embedding %tokens, %c_table : (tensor<?xi32>, tensor<11x16xf32>) -> tensor<?x16xf32>
  %dt_exp = math.exp %dt_in : tensor<?x11xf32>
  %dt = math.log1p %dt_exp : tensor<?x11xf32>
  %y, %next_first = ssm.selective_scan %x dt %dt a %a b %b c %b d %skip state %first
    : (tensor<?x11xf32>, tensor<?x11xf32>, tensor<11x5xf32>, tensor<?x5xf32>, tensor<?x5xf32>,
       tensor<11xf16>, tensor<11x5xf32>) -> (tensor<?x11xf32>, tensor<11x5xf32>)
  %z, %next_second = ssm.selective_scan %y dt %dt a %wide_a b %c c %c state %second
    : (tensor<?x11xf32>, tensor<?x11xf32>, tensor<11x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<11x16xf32>) -> (tensor<?x11xf32>, tensor<11x16xf32>)
  return %z, %next_first, %next_second : tensor<?x11xf32>, tensor<11x5xf32>, tensor<11x16xf32>
}
