// A model compiled for processors with fewer features than this one, with loops shared dynamically,
// gives the interpreter's logits. (AVX-VNNI runs on few machines: see test/Assembly.)
// DEFINE: %{options} =
// DEFINE: %{compare} = ssmq-run %t.quantized.mlir --tokens 3,0,10,7,7,1,5,8,2,9,4 --compare=fast,compiled --chunkings=2 --max-kl 1e-6 %{options}
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t
// RUN: ssmq-translate --import-hf %t -o %t.f32.mlir
// RUN: ssmq-opt %t.f32.mlir --ssmq-assign="method=uniform format=int4:g5:asym" --ssmq-quantize=output=%t.safetensors -o %t.quantized.mlir
// REDEFINE: %{options} = --target x86-64-v3
// RUN: %{compare}
// REDEFINE: %{options} = --target x86-64-v2 --lowering "schedule=dynamic min-parallel-work=1" --threads 3
// RUN: %{compare}
// REDEFINE: %{options} = --target host --mattr=-avx512f
// RUN: %{compare}
// REDEFINE: %{options} = --lowering "schedule=dynamic min-parallel-work=1" --threads 3
// RUN: %{compare}
