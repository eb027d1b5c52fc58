// RUN: rm -rf %t && mkdir -p %t/weights && cp %s %t/tiny.mlir
// RUN: %python %S/../Inputs/make_weights.py %s %t/weights/model.safetensors
// RUN: echo "[1, 0, 2]" > %t/tokens.json

// The checkpoint lies beside the module, wherever the tool runs.
// RUN: ssmq-run %t/tiny.mlir --backend=interpreter --tokens-file %t/tokens.json --print-top 2 | FileCheck %s
// CHECK: {{^}}0: [[#A:]] ({{.*}}) [[#B:]] ({{.*}}){{$}}
// CHECK: {{^}}1:
// CHECK: {{^}}2:
// RUN: ssmq-run %t/tiny.mlir --backend=interpreter --kernels=reference --tokens 1,0,2 --generate 4 | FileCheck %s --check-prefix=GENERATE
// GENERATE: {{^[0-2],[0-2],[0-2],[0-2]$}}
// RUN: ssmq-run %t/tiny.mlir --backend=interpreter --tokens 1,0,2 --logits %t/logits.safetensors
// RUN: %python -c "from safetensors.numpy import load_file; t = load_file(r'%t/logits.safetensors')['logits']; assert t.shape == (3, 3) and t.dtype == 'float32'"
// RUN: ssmq-run %t/tiny.mlir --backend=interpreter --tokens 1,0 --bench --generate 1 | FileCheck %s --check-prefix=BENCH
// BENCH: prefill {{.*}} tokens/s, decode {{.*}} tokens/s

// A comparison that fails says how far apart the programs are.
// RUN: not ssmq-run %t/tiny.mlir --tokens 1,0,2,1 --compare=reference,fast --tolerance -1 | FileCheck %s --check-prefix=DIFFER
// DIFFER: reference and fast differ: max abs error {{.*}}, same argmax 4 of 4, KL {{.*}}
// RUN: ssmq-run %t/tiny.mlir --tokens 1,0,2,1 --compare=fast,reference --max-kl 1e-9 | FileCheck %s --check-prefix=AGREE
// AGREE: fast and reference agree

// RUN: ssmq-run %t/tiny.mlir --emit=header -o %t/tiny-model.h
// RUN: FileCheck %s --check-prefix=HEADER --input-file %t/tiny-model.h
// HEADER: #define TINY_MODEL_VOCAB_SIZE INT64_C(3)
// HEADER: int tiny_model_forward(tiny_model_state *state, const int32_t *tokens, int64_t n, float *logits);

// Each refusal is one line and its exit code.
// DEFINE: %{refuse} = %python %S/../Inputs/expect_failure.py
// RUN: %{refuse} 2 "give one of --tokens, --tokens-file and --sequences" ssmq-run %t/tiny.mlir
// RUN: %{refuse} 2 "give one of --tokens, --tokens-file and --sequences" ssmq-run %t/tiny.mlir --tokens 1 --tokens-file %t/tokens.json
// RUN: %{refuse} 2 "--emit and -o go together" ssmq-run %t/tiny.mlir --emit=so
// RUN: %{refuse} 2 "Unknown command line argument '--no-such'" ssmq-run %t/tiny.mlir --no-such
// RUN: %{refuse} 1 "token 3 is outside the vocabulary of 3" ssmq-run %t/tiny.mlir --backend=interpreter --tokens 0,3
// RUN: %{refuse} 1 "cannot open %t/none" ssmq-run %t/tiny.mlir --backend=interpreter --tokens 0 --checkpoint %t/none
// RUN: %{refuse} 1 "the checkpoint has no tensor 'table'" ssmq-run %t/tiny.mlir --backend=interpreter --tokens 0 --checkpoint %t/logits.safetensors
// RUN: %{refuse} 1 "the name '5' is not a C identifier" ssmq-run %t/tiny.mlir --emit=header -o %t/x.h --name 5
// RUN: %{refuse} 3 "cannot write %t/none/x.safetensors" ssmq-run %t/tiny.mlir --backend=interpreter --tokens 0 --logits %t/none/x.safetensors

module attributes {ssm.checkpoint = "weights"} {
  ml_program.global private @table(#ml_program.extern : tensor<3x3xf32>) : tensor<3x3xf32>
  func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x3xf32> {
    %table = ml_program.global_load_const @table : tensor<3x3xf32>
    %0 = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<3x3xf32>) -> tensor<?x3xf32>
    return %0 : tensor<?x3xf32>
  }
}
