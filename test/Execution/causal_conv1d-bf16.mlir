// Weights of 16 bits whose taps are taken apart at odd counts, which LLVM's x86 back end cannot
// shuffle as bf16.
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2 --compare=reference,fast,compiled%xe --chunkings=2

ml_program.global private @embed(#ml_program.extern : tensor<11x77xf32>) : tensor<11x77xf32>
ml_program.global private @conv(#ml_program.extern : tensor<77x1x5xbf16>) : tensor<77x1x5xbf16>

func.func @forward(%tokens: tensor<?xi32>, %state: tensor<4x77xf32>)
    -> (tensor<?x77xf32>, tensor<4x77xf32>) {
  %embed = ml_program.global_load_const @embed : tensor<11x77xf32>
  %conv = ml_program.global_load_const @conv : tensor<77x1x5xbf16>
  %x = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<11x77xf32>) -> tensor<?x77xf32>
  %y, %next = ssm.causal_conv1d %x, %conv state %state
    : (tensor<?x77xf32>, tensor<77x1x5xbf16>, tensor<4x77xf32>)
    -> (tensor<?x77xf32>, tensor<4x77xf32>)
  return %y, %next : tensor<?x77xf32>, tensor<4x77xf32>
}
