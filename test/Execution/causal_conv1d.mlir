// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2 --compare=reference,fast,compiled%xe --chunkings=4
// Chunks shorter than the kernel, an even and an odd kernel, and a quantized weight.

ml_program.global private @embed(#ml_program.extern : tensor<11x11xf32>) : tensor<11x11xf32>
ml_program.global private @conv(#ml_program.extern : tensor<11x1x4xf16>) : tensor<11x1x4xf16>
ml_program.global private @bias(#ml_program.extern : tensor<11xf16>) : tensor<11xf16>
ml_program.global private @codes(#ml_program.extern : tensor<11x1x3x!quant.any<i8:f32>>) : tensor<11x1x3x!quant.any<i8:f32>>
ml_program.global private @scales(#ml_program.extern : tensor<11x1xf16>) : tensor<11x1xf16>

func.func @forward(%tokens: tensor<?xi32>, %first: tensor<3x11xf32> {ssm.state = "first"},
                   %second: tensor<2x11xf32> {ssm.state = "second"})
    -> (tensor<?x11xf32>, tensor<3x11xf32>, tensor<2x11xf32>) {
  %embed = ml_program.global_load_const @embed : tensor<11x11xf32>
  %conv = ml_program.global_load_const @conv : tensor<11x1x4xf16>
  %bias = ml_program.global_load_const @bias : tensor<11xf16>
  %codes = ml_program.global_load_const @codes : tensor<11x1x3x!quant.any<i8:f32>>
  %scales = ml_program.global_load_const @scales : tensor<11x1xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<11x11xf32>) -> tensor<?x11xf32>
  %1, %next_first = ssm.causal_conv1d %0, %conv bias %bias state %first
    : (tensor<?x11xf32>, tensor<11x1x4xf16>, tensor<11xf16>, tensor<3x11xf32>)
    -> (tensor<?x11xf32>, tensor<3x11xf32>)
  %2, %next_second = ssm.causal_conv1d %1, %codes scales %scales state %second {group_size = 3 : i64}
    : (tensor<?x11xf32>, tensor<11x1x3x!quant.any<i8:f32>>, tensor<11x1xf16>, tensor<2x11xf32>)
    -> (tensor<?x11xf32>, tensor<2x11xf32>)
  return %2, %next_first, %next_second : tensor<?x11xf32>, tensor<3x11xf32>, tensor<2x11xf32>
}
