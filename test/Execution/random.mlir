// Seeded random programs (Inputs/random_program.py): linear layers of all formats, convolutions, scans,
// attention and norms at odd sizes, on every backend.
// DEFINE: %{seed} =
// DEFINE: %{compare} = %python %S/../Inputs/random_program.py %{seed} %t.mlir %t.json && %python %S/../Inputs/make_weights.py %t.mlir %t.safetensors && ssmq-run %t.mlir --checkpoint %t.safetensors --tokens-file %t.json --lowering=prefill=false --chunkings=2 --compare=reference,fast,compiled%xe
// REDEFINE: %{seed} = 4
// RUN: %{compare}
// REDEFINE: %{seed} = 8
// RUN: %{compare}
// REDEFINE: %{seed} = 11
// RUN: %{compare}
// REDEFINE: %{seed} = 12
// RUN: %{compare}
