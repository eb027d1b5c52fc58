// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,14,7,7,1,5,11,2 --compare=reference,fast,compiled%xe --chunkings=3
// Over whole rows and over groups of them, with and without bias.

ml_program.global private @embed(#ml_program.extern : tensor<15x15xf32>) : tensor<15x15xf32>
ml_program.global private @rms_norm(#ml_program.extern : tensor<15xf16>) : tensor<15xf16>
ml_program.global private @group_norm(#ml_program.extern : tensor<15xf32>) : tensor<15xf32>
ml_program.global private @layer_norm(#ml_program.extern : tensor<15xbf16>) : tensor<15xbf16>
ml_program.global private @bias(#ml_program.extern : tensor<15xf32>) : tensor<15xf32>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x15xf32> {
  %embed = ml_program.global_load_const @embed : tensor<15x15xf32>
  %rms_norm = ml_program.global_load_const @rms_norm : tensor<15xf16>
  %group_norm = ml_program.global_load_const @group_norm : tensor<15xf32>
  %layer_norm = ml_program.global_load_const @layer_norm : tensor<15xbf16>
  %bias = ml_program.global_load_const @bias : tensor<15xf32>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<15x15xf32>) -> tensor<?x15xf32>
  %1 = ssm.rms_norm %0, %rms_norm {eps = 1.0e-5 : f32}
    : (tensor<?x15xf32>, tensor<15xf16>) -> tensor<?x15xf32>
  %2 = ssm.layer_norm %1, %layer_norm bias %bias {eps = 1.0e-5 : f32}
    : (tensor<?x15xf32>, tensor<15xbf16>, tensor<15xf32>) -> tensor<?x15xf32>
  %3 = ssm.rms_norm %2, %group_norm {eps = 1.0e-6 : f32, groups = 3 : i64}
    : (tensor<?x15xf32>, tensor<15xf32>) -> tensor<?x15xf32>
  %4 = ssm.layer_norm %3, %group_norm {eps = 1.0e-2 : f32}
    : (tensor<?x15xf32>, tensor<15xf32>) -> tensor<?x15xf32>
  return %4 : tensor<?x15xf32>
}
