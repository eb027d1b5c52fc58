// Random programs as in random.mlir, with the kernels that the OpenCL device of tests is not given by
// itself: dpas, which rounds activations to f16 (logits are about 3), and products of bytes.
// REQUIRES: opencl
// DEFINE: %{seed} =
// DEFINE: %{options} =
// DEFINE: %{compare} = %python %S/../Inputs/random_program.py %{seed} %t.mlir %t.json && %python %S/../Inputs/make_weights.py %t.mlir %t.safetensors && ssmq-run %t.mlir --checkpoint %t.safetensors --tokens-file %t.json --chunkings=2 --compare=reference,xe %{options}
// REDEFINE: %{options} = --lowering="prefill=false dpas=true" --tolerance=0.01 --chunk-tolerance=2e-3
// REDEFINE: %{seed} = 4
// RUN: %{compare}
// REDEFINE: %{seed} = 12
// RUN: %{compare}
// REDEFINE: %{options} = --lowering="prefill=false dpas=false dot=true"
// REDEFINE: %{seed} = 11
// RUN: %{compare}
