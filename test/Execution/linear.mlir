// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,7,7,1,5,11,2 --compare=reference,fast,compiled%xe --chunkings=3
// Each element type of a weight, with and without bias, at widths no vector divides.

ml_program.global private @embed(#ml_program.extern : tensor<13x11xbf16>) : tensor<13x11xbf16>
ml_program.global private @up(#ml_program.extern : tensor<37x11xf32>) : tensor<37x11xf32>
ml_program.global private @up_bias(#ml_program.extern : tensor<37xf16>) : tensor<37xf16>
ml_program.global private @mid(#ml_program.extern : tensor<19x37xf16>) : tensor<19x37xf16>
ml_program.global private @down(#ml_program.extern : tensor<13x19xbf16>) : tensor<13x19xbf16>
ml_program.global private @down_bias(#ml_program.extern : tensor<13xf32>) : tensor<13xf32>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x13xf32> {
  %embed = ml_program.global_load_const @embed : tensor<13x11xbf16>
  %up = ml_program.global_load_const @up : tensor<37x11xf32>
  %up_bias = ml_program.global_load_const @up_bias : tensor<37xf16>
  %mid = ml_program.global_load_const @mid : tensor<19x37xf16>
  %down = ml_program.global_load_const @down : tensor<13x19xbf16>
  %down_bias = ml_program.global_load_const @down_bias : tensor<13xf32>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<13x11xbf16>) -> tensor<?x11xf32>
  %1 = ssm.linear %0, %up bias %up_bias
    : (tensor<?x11xf32>, tensor<37x11xf32>, tensor<37xf16>) -> tensor<?x37xf32>
  %2 = ssm.linear %1, %mid : (tensor<?x37xf32>, tensor<19x37xf16>) -> tensor<?x19xf32>
  %3 = ssm.linear %2, %down bias %down_bias
    : (tensor<?x19xf32>, tensor<13x19xbf16>, tensor<13xf32>) -> tensor<?x13xf32>
  return %3 : tensor<?x13xf32>
}
