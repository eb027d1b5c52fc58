// spirv-val on what a driver gets of every test program that runs on Xe, and of the shipped model: in
// f16, in int4 with int8 activations and states of codes, and in int8 with states in f16.
// REQUIRES: spirv-val
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Inputs/validate_spirv.py %t %S/../../Execution %S/../../../models/granite-hybrid-5m
// DEFINE: %{weights} =
// DEFINE: %{states} =
// DEFINE: %{validate} = ssmq-opt %t/f16.mlir --ssmq-assign="method=uniform format=%{weights}" --ssmq-quantize=output=%t/q.safetensors --ssmq-assign="method=uniform sites=activation format=int8:token" --ssmq-quantize --ssmq-assign="method=uniform sites=state format=%{states}" --ssmq-quantize -o %t/q.mlir && %python %S/../../Inputs/validate_spirv.py %t %t/q.mlir=%t/q.safetensors
// RUN: ssmq-translate --import-hf %S/../../../models/granite-hybrid-5m -o %t/f16.mlir
// REDEFINE: %{weights} = int4:g64
// REDEFINE: %{states} = int8:head
// RUN: %{validate}
// REDEFINE: %{weights} = int8:channel
// REDEFINE: %{states} = f16
// RUN: %{validate}
