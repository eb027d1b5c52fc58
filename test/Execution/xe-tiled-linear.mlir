// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,39,7,1,5,11,2,33,8,4,4,9,30,31,16,17,18,19,20,21,22,23,24,25,26,27,28,29,32,34,35 --compare=reference,xe --chunkings=2
// dpas rounds activations to f16: 2^-11 of each product. The largest logit is about 150.
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,12,39,7,1,5,11,2,33,8,4,4,9,30,31,16,17,18,19,20,21,22,23,24,25,26,27,28,29,32,34,35 --compare=reference,xe --lowering=dpas=true --chunkings=2 --tolerance=0.2 --chunk-tolerance=1e-3
// Weights in tiles, of which the last is not full: groups that end within a block, a last group that
// is shorter, one group, zero points. Single tokens and prompts of more than a block.

ml_program.global private @embed_codes(#ml_program.extern : tensor<3x704xi8>) : tensor<3x704xi8>
ml_program.global private @embed_scales(#ml_program.extern : tensor<3x1x16xf16>) : tensor<3x1x16xf16>
ml_program.global private @up_codes(#ml_program.extern : tensor<3x384xi8>) : tensor<3x384xi8>
ml_program.global private @up_scales(#ml_program.extern : tensor<3x3x16xf16>) : tensor<3x3x16xf16>
ml_program.global private @up_zero_points(#ml_program.extern : tensor<3x3x16xi8>) : tensor<3x3x16xi8>
ml_program.global private @bias(#ml_program.extern : tensor<37xf32>) : tensor<37xf32>
ml_program.global private @mid_codes(#ml_program.extern : tensor<4x448xi8>) : tensor<4x448xi8>
ml_program.global private @mid_scales(#ml_program.extern : tensor<4x4x16xf16>) : tensor<4x4x16xf16>
ml_program.global private @down_codes(#ml_program.extern : tensor<3x1024xi8>) : tensor<3x1024xi8>
ml_program.global private @down_scales(#ml_program.extern : tensor<3x2x16xf32>) : tensor<3x2x16xf32>
ml_program.global private @down_zero_points(#ml_program.extern : tensor<3x2x16xi8>) : tensor<3x2x16xi8>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x40xf32> {
  %embed = ml_program.global_load_const @embed_codes : tensor<3x704xi8>
  %embed_scales = ml_program.global_load_const @embed_scales : tensor<3x1x16xf16>
  %up = ml_program.global_load_const @up_codes : tensor<3x384xi8>
  %up_scales = ml_program.global_load_const @up_scales : tensor<3x3x16xf16>
  %up_zero_points = ml_program.global_load_const @up_zero_points : tensor<3x3x16xi8>
  %bias = ml_program.global_load_const @bias : tensor<37xf32>
  %mid = ml_program.global_load_const @mid_codes : tensor<4x448xi8>
  %mid_scales = ml_program.global_load_const @mid_scales : tensor<4x4x16xf16>
  %down = ml_program.global_load_const @down_codes : tensor<3x1024xi8>
  %down_scales = ml_program.global_load_const @down_scales : tensor<3x2x16xf32>
  %down_zero_points = ml_program.global_load_const @down_zero_points : tensor<3x2x16xi8>
  %0 = ssm.embedding %tokens, %embed scales %embed_scales {columns = 41 : i64, group_size = 41 : i64, packed_bits = 8 : i64, rows = 40 : i64, tile_rows = 16 : i64}
    : (tensor<?xi32>, tensor<3x704xi8>, tensor<3x1x16xf16>) -> tensor<?x41xf32>
  %1 = ssm.linear %0, %up scales %up_scales zero_points %up_zero_points bias %bias {group_size = 16 : i64, packed_bits = 4 : i64, rows = 37 : i64, tile_rows = 16 : i64}
    : (tensor<?x41xf32>, tensor<3x384xi8>, tensor<3x3x16xf16>, tensor<3x3x16xi8>, tensor<37xf32>) -> tensor<?x37xf32>
  %2 = ssm.linear %1, %mid scales %mid_scales {group_size = 12 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x37xf32>, tensor<4x448xi8>, tensor<4x4x16xf16>) -> tensor<?x64xf32>
  %3 = ssm.linear %2, %down scales %down_scales zero_points %down_zero_points {group_size = 32 : i64, packed_bits = 8 : i64, rows = 40 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<3x1024xi8>, tensor<3x2x16xf32>, tensor<3x2x16xi8>) -> tensor<?x40xf32>
  return %3 : tensor<?x40xf32>
}
