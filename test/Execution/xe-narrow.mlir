// Activations of prompts in 16 bits between launches. The shipped model generates the same 64 tokens after
// a prompt of 40 as in code of the CPU in f32, without dpas and with it, where f16 is the default.
// REQUIRES: opencl
// DEFINE: %{lowering} =
// DEFINE: %{generate} = ssmq-run %S/../../models/granite-hybrid-5m --tokens 1,200,31,77,500,9,1024,333,5,42,812,7,300,61,19,2,1500,88,430,6,1,200,31,77,500,9,1024,333,5,42,812,7,300,61,19,2,1500,88,430,6 --generate=64
// DEFINE: %{same} = %{generate} --device=xe --lowering="%{lowering}" > %t.xe && diff %t.cpu %t.xe
// RUN: %{generate} > %t.cpu
// REDEFINE: %{lowering} = dpas=false narrow=f16
// RUN: %{same}
// REDEFINE: %{lowering} = dpas=true
// RUN: %{same}

// Random programs as in random.mlir, whose logits are 2 to 4: f16 keeps 2^-11 of each number, bf16 2^-8,
// and a rounded activation may become its neighbour.
// DEFINE: %{seed} =
// DEFINE: %{tolerance} =
// DEFINE: %{compare} = %python %S/../Inputs/random_program.py %{seed} %t.mlir %t.json && %python %S/../Inputs/make_weights.py %t.mlir %t.safetensors && ssmq-run %t.mlir --checkpoint %t.safetensors --tokens-file %t.json --chunkings=2 --compare=reference,xe --lowering="prefill=false %{lowering}" %{tolerance}
// REDEFINE: %{lowering} = dpas=false narrow=f16 narrow-residual=true
// REDEFINE: %{tolerance} = --tolerance=0.01 --chunk-tolerance=5e-3
// REDEFINE: %{seed} = 8
// RUN: %{compare}
// REDEFINE: %{seed} = 11
// RUN: %{compare}
// REDEFINE: %{lowering} = dpas=true narrow=bf16 narrow-residual=true
// REDEFINE: %{tolerance} = --tolerance=0.1 --chunk-tolerance=4e-2
// REDEFINE: %{seed} = 4
// RUN: %{compare}
