// Whole models of each family: both kernel sets and compiled code, in any chunks.
// DEFINE: %{family} =
// DEFINE: %{compare} = %python %S/../Inputs/make_checkpoint.py %{family} %t.%{family} && ssmq-run %t.%{family} --tokens 3,0,10,7,7,1,5,8,2,9,4 --compare=reference,fast,compiled%xe --chunkings=4
// REDEFINE: %{family} = mamba
// RUN: %{compare}
// REDEFINE: %{family} = mamba2
// RUN: %{compare}
// REDEFINE: %{family} = bamba
// RUN: %{compare}
// REDEFINE: %{family} = granitemoehybrid
// RUN: %{compare}

// Quantized by the passes, in groups that leave a short one, and run from the file they write.
// DEFINE: %{format} =
// DEFINE: %{quantized} = ssmq-opt %t.f32.mlir --ssmq-assign="method=uniform format=%{format}" --ssmq-quantize=output=%t.safetensors -o %t.quantized.mlir && ssmq-run %t.quantized.mlir --tokens 3,0,10,7,7,1,5,8,2,9,4 --compare=reference,fast,compiled --chunkings=4 --max-kl 1e-6
// RUN: ssmq-translate --import-hf %t.granitemoehybrid -o %t.f32.mlir
// REDEFINE: %{format} = int4:g5:asym
// RUN: %{quantized}
// REDEFINE: %{format} = int4:g3
// RUN: %{quantized}
// REDEFINE: %{format} = int8:channel
// RUN: %{quantized}
