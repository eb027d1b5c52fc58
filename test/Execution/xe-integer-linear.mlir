// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,39,7,1,5,11,2,33,8,4,4,9,30,31,16,17,18,19,20,21,22,23,24,25,26,27,28,29,32,34,35 --compare=reference,xe --lowering="dpas=true narrow=off" --chunkings=2
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,39,7,1,5,11,2,33,8,4,4,9,30,31,16,17,18,19,20,21,22,23,24,25,26,27,28,29,32,34,35 --compare=reference,xe --lowering="dpas=false dot=true" --chunkings=2
// Products of codes, whose sums are exact, of activations that are not rounded before (narrow=off): rows of codes that 2-D block loads take (64 bytes and more)
// and that they do not; a scale a token and one a group; zero points; groups of less than a dpas, and
// one that is no multiple of it; single tokens and prompts of more than a block of 32.

ml_program.global private @embed(#ml_program.extern : tensor<40x80xf32>) : tensor<40x80xf32>
ml_program.global private @up_codes(#ml_program.extern : tensor<3x640xi8>) : tensor<3x640xi8>
ml_program.global private @up_scales(#ml_program.extern : tensor<3x3x16xf16>) : tensor<3x3x16xf16>
ml_program.global private @up_zero_points(#ml_program.extern : tensor<3x3x16xi8>) : tensor<3x3x16xi8>
ml_program.global private @bias(#ml_program.extern : tensor<48xf32>) : tensor<48xf32>
ml_program.global private @mid_codes(#ml_program.extern : tensor<5x768xi8>) : tensor<5x768xi8>
ml_program.global private @mid_scales(#ml_program.extern : tensor<5x1x16xf16>) : tensor<5x1x16xf16>
ml_program.global private @down_codes(#ml_program.extern : tensor<3x640xi8>) : tensor<3x640xi8>
ml_program.global private @down_scales(#ml_program.extern : tensor<3x5x16xf16>) : tensor<3x5x16xf16>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x40xf32> {
  %embed = ml_program.global_load_const @embed : tensor<40x80xf32>
  %up = ml_program.global_load_const @up_codes : tensor<3x640xi8>
  %up_scales = ml_program.global_load_const @up_scales : tensor<3x3x16xf16>
  %up_zero_points = ml_program.global_load_const @up_zero_points : tensor<3x3x16xi8>
  %bias = ml_program.global_load_const @bias : tensor<48xf32>
  %mid = ml_program.global_load_const @mid_codes : tensor<5x768xi8>
  %mid_scales = ml_program.global_load_const @mid_scales : tensor<5x1x16xf16>
  %down = ml_program.global_load_const @down_codes : tensor<3x640xi8>
  %down_scales = ml_program.global_load_const @down_scales : tensor<3x5x16xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<40x80xf32>) -> tensor<?x80xf32>
  %1 = ssm.fake_quantize %0 as <"i8 sym per_token"> : tensor<?x80xf32>
  %2 = ssm.linear %1, %up scales %up_scales zero_points %up_zero_points bias %bias {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x80xf32>, tensor<3x640xi8>, tensor<3x3x16xf16>, tensor<3x3x16xi8>, tensor<48xf32>) -> tensor<?x48xf32>
  %3 = ssm.fake_quantize %2 as <"i8 sym per_token"> : tensor<?x48xf32>
  %4 = ssm.linear %3, %mid scales %mid_scales {group_size = 48 : i64, packed_bits = 8 : i64, tile_rows = 16 : i64}
    : (tensor<?x48xf32>, tensor<5x768xi8>, tensor<5x1x16xf16>) -> tensor<?x80xf32>
  %5 = ssm.fake_quantize %4 as <"i8 sym group=32"> : tensor<?x80xf32>
  %6 = ssm.linear %5, %down scales %down_scales {group_size = 16 : i64, packed_bits = 4 : i64, rows = 40 : i64, tile_rows = 16 : i64}
    : (tensor<?x80xf32>, tensor<3x640xi8>, tensor<3x5x16xf16>) -> tensor<?x40xf32>
  return %6 : tensor<?x40xf32>
}
