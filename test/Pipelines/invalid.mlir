// RUN: ssmq-opt %s --ssmq-lower-to-cpu --split-input-file --verify-diagnostics

// expected-error @+1 {{argument 1 and result 1 are one state, but have the types 'tensor<4xf32>' and 'tensor<5xf32>'}}
func.func @states_differ(%x: tensor<4xf32>, %a: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<5xf32>) {
  %b = tensor.empty() : tensor<5xf32>
  return %a, %b : tensor<4xf32>, tensor<5xf32>
}

// -----

// expected-error @+1 {{returns 2 states after its output, but takes 1}}
func.func @too_few_states(%a: tensor<4xf32> {ssm.state = "a"}, %b: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  return %a, %a, %b : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @+1 {{an entry takes and returns ranked tensors of numbers, but here is 'index'}}
func.func @not_a_tensor(%a: tensor<4xf32>, %i: index) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// expected-error @+1 {{a mutable global cannot be a weight; pass states as arguments}}
ml_program.global public mutable @w(#ml_program.extern : tensor<4xf32>) : tensor<4xf32>

// -----

// expected-error @+1 {{an entry must return its output}}
func.func @nothing(%a: tensor<4xf32>) { return }

// -----

// expected-error @+1 {{functions on tensors that are no entries must have been inlined}}
func.func private @elsewhere(tensor<4xf32>) -> tensor<4xf32>
func.func @entry(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @elsewhere(%a) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
