// Sites of every kind in formats of an assignment file.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// RUN: ssmq-translate --import-hf %t/model -o %t/program.mlir
// RUN: echo "[3,1,4,1,5,9,2,6,5,3,5,8,9,7,9]" > %t/tokens.json
// RUN: split-file %s %t
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/all.json" -o %t/assigned.mlir
// RUN: FileCheck %t/assigned.check < %t/assigned.mlir
// RUN: ssmq-opt %t/assigned.mlir --ssmq-quantize="output=%t/packed.safetensors tokens=%t/tokens.json" -o %t/quantized.mlir
// RUN: FileCheck %t/quantized.check < %t/quantized.mlir
// What is rewritten is no site any more; the names of the others are as before.
// RUN: ssmq-opt %t/quantized.mlir --ssmq-list-sites -o /dev/null 2> %t/sites
// RUN: FileCheck %t/sites.check < %t/sites
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-assign="method=file input=%t/state.json" 2>&1 | FileCheck %t/again.check

// Activations alone need no file.
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=uniform sites=activation format=int8:token" --ssmq-quantize | FileCheck %t/activations.check

// RUN: not ssmq-opt %t/assigned.mlir --ssmq-quantize="output=%t/none.safetensors" 2>&1 | FileCheck %t/no-tokens.check
// RUN: not ssmq-opt %t/assigned.mlir --ssmq-quantize="tokens=%t/tokens.json" 2>&1 | FileCheck %t/no-output.check
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/misfit.json" 2>&1 | FileCheck %t/misfit.check
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/signs.json" --ssmq-quantize="output=%t/none.safetensors" 2>&1 | FileCheck %t/signs.check
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="method=uniform sites=states format=f16" 2>&1 | FileCheck %t/kind.check
// RUN: sed 's/ssm.formats = {a = /ssm.formats = {x = /' %t/assigned.mlir > %t/role.mlir
// RUN: not ssmq-opt %t/role.mlir --ssmq-quantize="output=%t/none.safetensors tokens=%t/tokens.json" 2>&1 | FileCheck %t/role.check
// RUN: not test -e %t/none.safetensors

//--- all.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.embed_tokens:weight", "format": "nf4 group=4"},
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 sym group=4"},
  {"site": "model.layers.0.mamba.in_proj:input", "format": "i8 sym per_tensor static=99"},
  {"site": "model.layers.0.mamba.conv1d:weight", "format": "bf16"},
  {"site": "model.layers.0.mamba.conv1d:cache", "format": "i8 sym per_token"},
  {"site": "model.layers.0.mamba.scan:state", "format": "i8 asym per_head"},
  {"site": "model.layers.0.mamba.scan:a", "format": "log2<8> per_tensor"},
  {"site": "model.layers.0.mamba.scan:d", "format": "i8 sym per_tensor"},
  {"site": "model.layers.0.input_layernorm:weight", "format": "f8E4M3 per_tensor"},
  {"site": "model.layers.0.mamba:gate", "format": "f16"},
  {"site": "model.layers.1.self_attn:key_cache", "format": "f8E4M3 per_token"},
  {"site": "model.layers.1.self_attn.o_proj:weight", "format": "keep"},
  {"site": "lm_head:weight", "format": "i16 sym per_channel"}]}

//--- assigned.check
CHECK: @model.embed_tokens.weight({{.*}} {ssm.format = #ssm.format<"nf4 group=4">}
CHECK: ssm.linear {{.*}} ssm.formats = {input = #ssm.format<"i8 sym per_tensor static=99">}
CHECK: ssm.causal_conv1d {{.*}} ssm.formats = {cache = #ssm.format<"i8 sym per_token">}
CHECK: ssm.ssd_scan {{.*}} ssm.formats = {a = #ssm.format<"log2<8> per_tensor">, d = #ssm.format<"i8 sym per_tensor">, state = #ssm.format<"i8 asym per_head">}
CHECK: ssm.formats = {"model.layers.0.mamba:gate" = #ssm.format<"f16">}

//--- quantized.check
CHECK-DAG: ml_program.global private @model.layers.0.mamba.scan.a(#{{.*}}) : tensor<1x4xi8> {ssm.format = #ssm.format<"log2<8> per_tensor">}
CHECK-DAG: ml_program.global private @model.embed_tokens.weight(#{{.*}}) : tensor<11x4xi8>
CHECK-DAG: ml_program.global private @model.embed_tokens.weight_scale(#{{.*}}) : tensor<22x2xi8>
CHECK-DAG: ml_program.global private @model.layers.0.mamba.conv1d.weight(#{{.*}}) : tensor<28x1x4xbf16>
CHECK-DAG: ml_program.global private @model.layers.0.mamba.D(#{{.*}}) : tensor<1x4xi8>
CHECK-DAG: ml_program.global private @lm_head.weight(#{{.*}}) : tensor<11x16xi8>
CHECK-LABEL: func.func @forward
CHECK: ssm.dequantize %{{.*}} scales %{{.*}} as <"nf4 group=4"> : (tensor<11x4xi8>, tensor<22x2xi8>) -> tensor<11x8xf32>
CHECK: ssm.dequantize {{.*}} as <"f8E4M3 per_tensor"> {{.*}} -> tensor<8xf32>
CHECK: ssm.fake_quantize %{{.*}} as <"i8 sym per_tensor static=99"> {ranges = array<f32: {{.*}}>, site = "model.layers.0.mamba.in_proj:input"} : tensor<?x8xf32>
CHECK: ssm.linear {{.*}} scales {{.*}} {group_size = 4 : i64, path = "model.layers.0.mamba.in_proj"}
CHECK: ssm.fake_quantize %{{.*}} as <"f16"> {site = "model.layers.0.mamba:gate"}
CHECK: ssm.causal_conv1d {{.*}} state_format = #ssm.format<"i8 sym per_token">}
CHECK: ssm.ssd_scan {{.*}} state_format = #ssm.format<"i8 asym per_head">}
CHECK: ssm.fake_quantize %{{.*}} as <"f8E4M3 per_token"> {head_size = 4 : i64, site = "model.layers.1.self_attn:key_cache"}
CHECK: ssm.dequantize {{.*}} as <"i16 sym per_channel">
CHECK-NOT: ssm.formats
CHECK-NOT: A_log

//--- sites.check
CHECK-NOT: remark: {{.*}}in_proj:{{input|weight}}
CHECK-NOT: remark: {{.*}}scan:{{a|d|state}}:
CHECK: model.layers.0.mamba.scan:input: activation
CHECK-NOT: remark: {{.*}}mamba:gate
CHECK: model.layers.1.self_attn:query: activation
CHECK-NOT: remark: {{.*}}self_attn:key_cache
CHECK: model.layers.1.self_attn:value_cache: cache

//--- state.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.scan:state", "format": "f16"}]}
//--- again.check
CHECK: error: the assignment names site 'model.layers.0.mamba.scan:state', which the module does not have

//--- activations.check
CHECK: ssm.checkpoint = "{{.*}}/model"
CHECK: ssm.fake_quantize %{{.*}} as <"i8 sym per_token"> {site = "model.layers.0.mamba.in_proj:input"}

//--- no-tokens.check
CHECK: error: site 'model.layers.0.mamba.in_proj:input' as i8 sym per_tensor static=99 needs ranges from calibration; give tokens=FILE
//--- no-output.check
CHECK: error: ssmq-quantize needs output=FILE, the safetensors file to write

//--- misfit.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.in_proj:input", "format": "i8 sym per_channel"}]}
//--- misfit.check
CHECK: error: site 'model.layers.0.mamba.in_proj:input': format 'i8 sym per_channel': per_channel over tokens needs ranges known beforehand

//--- signs.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "lm_head:weight", "format": "log2<8> per_tensor"}]}
//--- signs.check
CHECK: error: site 'lm_head:weight' as log2<8> per_tensor: the weight holds negative and positive values in one run

//--- kind.check
CHECK: error: 'states' is no kind of site
//--- role.check
CHECK: error: 'ssm.ssd_scan' has 1 formats in ssm.formats for values that are no site or are quantized already
