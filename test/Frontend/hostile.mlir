// Every fault gives one line and exit code 1, and leaves no output.
// DEFINE: %{make} = %python %S/../Inputs/make_checkpoint.py
// DEFINE: %{import} = not ssmq-translate --import-hf %t.model -o %t.mlir 2>&1 | FileCheck %s --match-full-lines
// RUN: rm -f %t.mlir

// RUN: %{make} bamba %t.model drop=model.layers.0.mamba.A_log && %{import} --check-prefix=MISSING
// MISSING: error: the checkpoint has no tensor 'model.layers.0.mamba.A_log'{{.*}}
// MISSING-NOT: {{.}}
// RUN: %{make} bamba %t.model shape=model.layers.1.self_attn.q_proj.weight && %{import} --check-prefix=SHAPE
// SHAPE: error: tensor 'model.layers.1.self_attn.q_proj.weight' has shape [9, 8], but config.json implies [8, 8]
// SHAPE-NOT: {{.}}
// RUN: %{make} bamba %t.model mamba_d_state=4 && %{import} --check-prefix=SEVERAL
// SEVERAL: error: tensor 'model.layers.0.mamba.in_proj.weight' has shape [48, 8], but config.json implies [52, 8] (and 2 more tensors that are missing or do not fit)
// SEVERAL-NOT: {{.}}
// RUN: %{make} bamba %t.model type=lm_head.weight && %{import} --check-prefix=TYPE
// TYPE: error: tensor 'lm_head.weight' holds i16, but weights must be f32, f16 or bf16
// TYPE-NOT: {{.}}
// RUN: %{make} bamba %t.model nan=model.layers.0.mamba.dt_bias && %{import} --check-prefix=NAN
// NAN: error: tensor 'model.layers.0.mamba.dt_bias' holds 1 {{.*}}NaN{{.*}}
// NAN-NOT: {{.}}
// RUN: %{make} bamba %t.model truncate && %{import} --check-prefix=TRUNCATED
// TRUNCATED: error: {{.*}}model.safetensors: {{.*}}is the download complete?
// TRUNCATED-NOT: {{.}}
// RUN: %{make} bamba %t.model no-config && %{import} --check-prefix=NO-CONFIG
// NO-CONFIG: error: cannot open {{.*}}config.json: No such file or directory
// NO-CONFIG-NOT: {{.}}
// RUN: %{make} bamba %t.model no-weights && %{import} --check-prefix=NO-WEIGHTS
// NO-WEIGHTS: error: {{.*}}: no safetensors files in this folder
// NO-WEIGHTS-NOT: {{.}}
// RUN: %{make} bamba %t.model 'model_type="gpt2"' && %{import} --check-prefix=FAMILY
// FAMILY: error: {{.*}}config.json: key 'model_type' is 'gpt2'; supported are mamba, mamba2, granitemoehybrid, bamba, s4d
// FAMILY-NOT: {{.}}
// RUN: %{make} granitemoehybrid %t.model num_local_experts=8 && %{import} --check-prefix=EXPERTS
// EXPERTS: error: {{.*}}config.json: key 'num_local_experts' is 8; {{.*}}
// EXPERTS-NOT: {{.}}
// RUN: %{make} mamba2 %t.model hidden_size=16777216 num_heads=8388608 && %{import} --check-prefix=HUGE
// HUGE: error: {{.*}}config.json: {{.*}}
// HUGE-NOT: {{.}}
// RUN: not ls %t.mlir

// What the model does not use is no error.
// RUN: %{make} mamba2 %t.model extra=foo.bar
// RUN: ssmq-translate --import-hf %t.model -o %t.mlir 2>&1 | FileCheck %s --check-prefix=UNUSED
// UNUSED: remark: 1 tensors of the checkpoint are not used, the first is 'foo.bar'

// An output that cannot be written; usage.
// RUN: not ssmq-translate --import-hf %t.model -o %t.none/x.mlir 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: error: cannot write {{.*}}x.mlir
// RUN: not ssmq-translate 2>&1 | FileCheck %s --check-prefix=USAGE
// USAGE: error: nothing to do: name a checkpoint with --import-hf DIRECTORY
