// REQUIRES: opencl
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: ssmq-run %s --checkpoint %t.safetensors --tokens 3,0,10,7,7,1,5,8,2,19,4,4,9,17,3,0,10,7,7,1,5,8,2,19,4,4,9,17,3,0,10,7,7,1,5,8,2,19,4,4,9,17,3,0,10,7,7,1,5,8,2,19,4,4,9,17,3,0,10,7,7,1,5,8,2,19,4,4,9,17,3,12,13 --compare=reference,xe --lowering=dpas=true --chunkings=2 --tolerance=4e-3 --chunk-tolerance=4e-3
// Blocks of 64 tokens and of 64 keys, of which the last are not full; keys of earlier calls and of
// this one. Two query heads of 16 channels on one key head, all rows; one head of 32, the last five.

ml_program.global private @query(#ml_program.extern : tensor<20x32xf32>) : tensor<20x32xf32>
ml_program.global private @key(#ml_program.extern : tensor<20x16xf32>) : tensor<20x16xf32>
ml_program.global private @value(#ml_program.extern : tensor<20x16xf32>) : tensor<20x16xf32>

func.func @forward(%tokens: tensor<?xi32>, %position: tensor<i32> {ssm.state = "position"},
                   %keys: tensor<?x16xf32> {ssm.state = "keys"},
                   %values: tensor<?x16xf32> {ssm.state = "values"},
                   %window_keys: tensor<?x32xf32> {ssm.state = "window_keys"},
                   %window_values: tensor<?x32xf32> {ssm.state = "window_values"})
    -> (tensor<?x32xf32>, tensor<i32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x32xf32>,
        tensor<?x32xf32>) {
  %c0 = arith.constant 0 : index
  %query_table = ml_program.global_load_const @query : tensor<20x32xf32>
  %key_table = ml_program.global_load_const @key : tensor<20x16xf32>
  %value_table = ml_program.global_load_const @value : tensor<20x16xf32>
  %q = ssm.embedding %tokens, %query_table : (tensor<?xi32>, tensor<20x32xf32>) -> tensor<?x32xf32>
  %k = ssm.embedding %tokens, %key_table : (tensor<?xi32>, tensor<20x16xf32>) -> tensor<?x16xf32>
  %v = ssm.embedding %tokens, %value_table : (tensor<?xi32>, tensor<20x16xf32>) -> tensor<?x16xf32>
  %y, %next_keys, %next_values = ssm.attention %q, %k, %v, caches %keys, %values at %position
      {head_dim = 16 : i64, scale = 2.0 : f32}
    : (tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<i32>) -> (tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>)
  %z, %next_window_keys, %next_window_values
    = ssm.attention %q, %q, %y, caches %window_keys, %window_values at %position
      {head_dim = 32 : i64, scale = 2.0 : f32, window = 5 : i64}
    : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>,
       tensor<i32>) -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
  %sum = arith.addf %y, %z : tensor<?x32xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %n32 = arith.index_cast %n : index to i32
  %grown = tensor.splat %n32 : tensor<i32>
  %next = arith.addi %position, %grown : tensor<i32>
  return %sum, %next, %next_keys, %next_values, %next_window_keys, %next_window_values
    : tensor<?x32xf32>, tensor<i32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x32xf32>,
      tensor<?x32xf32>
}
