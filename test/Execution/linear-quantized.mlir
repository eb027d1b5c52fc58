// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,7,7,1,5,11,2 --compare=reference,fast,compiled%xe --chunkings=3
// int4 and int8 codes: symmetric and asymmetric, groups whose last is short, rows of odd length.

ml_program.global private @embed(#ml_program.extern : tensor<13x41x!quant.any<i8:f32>>) : tensor<13x41x!quant.any<i8:f32>>
ml_program.global private @embed_scales(#ml_program.extern : tensor<13x1xf16>) : tensor<13x1xf16>
ml_program.global private @up(#ml_program.extern : tensor<37x41x!quant.any<i4:f32>>) : tensor<37x41x!quant.any<i4:f32>>
ml_program.global private @up_scales(#ml_program.extern : tensor<37x2xf16>) : tensor<37x2xf16>
ml_program.global private @down(#ml_program.extern : tensor<13x37x!quant.any<i4:f32>>) : tensor<13x37x!quant.any<i4:f32>>
ml_program.global private @down_scales(#ml_program.extern : tensor<13x3xf16>) : tensor<13x3xf16>
ml_program.global private @down_zero_points(#ml_program.extern : tensor<13x3xi8>) : tensor<13x3xi8>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x13xf32> {
  %embed = ml_program.global_load_const @embed : tensor<13x41x!quant.any<i8:f32>>
  %embed_scales = ml_program.global_load_const @embed_scales : tensor<13x1xf16>
  %up = ml_program.global_load_const @up : tensor<37x41x!quant.any<i4:f32>>
  %up_scales = ml_program.global_load_const @up_scales : tensor<37x2xf16>
  %down = ml_program.global_load_const @down : tensor<13x37x!quant.any<i4:f32>>
  %down_scales = ml_program.global_load_const @down_scales : tensor<13x3xf16>
  %down_zero_points = ml_program.global_load_const @down_zero_points : tensor<13x3xi8>
  %0 = ssm.embedding %tokens, %embed scales %embed_scales {group_size = 41 : i64}
    : (tensor<?xi32>, tensor<13x41x!quant.any<i8:f32>>, tensor<13x1xf16>) -> tensor<?x41xf32>
  %1 = ssm.linear %0, %up scales %up_scales {group_size = 32 : i64}
    : (tensor<?x41xf32>, tensor<37x41x!quant.any<i4:f32>>, tensor<37x2xf16>) -> tensor<?x37xf32>
  %2 = ssm.linear %1, %down scales %down_scales zero_points %down_zero_points {group_size = 16 : i64}
    : (tensor<?x37xf32>, tensor<13x37x!quant.any<i4:f32>>, tensor<13x3xf16>, tensor<13x3xi8>)
    -> tensor<?x13xf32>
  return %2 : tensor<?x13xf32>
}
