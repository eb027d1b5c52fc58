// Logits may have more columns than the table of embeddings has rows: its rows are the vocabulary
// that tokens are checked against, before anything runs.
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// DEFINE: %{run} = ssmq-run %s --checkpoint %t.safetensors
// RUN: %{run} --tokens=0,2 --compare=reference,compiled%xe
// DEFINE: %{refused} = %python %S/../Inputs/expect_failure.py 1 "error: token 4 is outside the vocabulary of 3"
// RUN: %{refused} %{run} --tokens=1,4
// RUN: %{refused} %{run} --tokens=1,4 --backend=interpreter
// RUN: %if opencl %{ %{refused} %{run} --tokens=1,4 --device=xe %}

ml_program.global private @embed(#ml_program.extern : tensor<3x3xf32>) : tensor<3x3xf32>
ml_program.global private @head(#ml_program.extern : tensor<5x3xf32>) : tensor<5x3xf32>

func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x5xf32> {
  %embed = ml_program.global_load_const @embed : tensor<3x3xf32>
  %head = ml_program.global_load_const @head : tensor<5x3xf32>
  %x = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<3x3xf32>) -> tensor<?x3xf32>
  %logits = ssm.linear %x, %head : (tensor<?x3xf32>, tensor<5x3xf32>) -> tensor<?x5xf32>
  return %logits : tensor<?x5xf32>
}
