// Better codes for the same program.
// RUN: rm -rf %t && %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: echo "[1,2,3,4,5,6,7,8,9,10,0,3,1,4,1,5,9,2,6,5,3,5]" > %t/tokens.json
// RUN: ssmq-translate --import-hf %t | ssmq-opt --ssmq-assign="method=uniform format=int4:g5:asym" --ssmq-quantize=output=%t/nearest.safetensors -o %t/nearest.mlir
// RUN: ssmq-opt %t/nearest.mlir --ssmq-refine="method=gptq tokens=%t/tokens.json sequence-length=6 original=%t/model.safetensors output=%t/gptq.safetensors" -o %t/gptq.mlir
// RUN: FileCheck %s < %t/gptq.mlir
// CHECK: module attributes {ssm.checkpoint = "{{.*}}/gptq.safetensors", ssm.refined = "gptq"}

// All else in the program is as it was.
// RUN: grep -v "^module" %t/nearest.mlir > %t/nearest.body
// RUN: grep -v "^module" %t/gptq.mlir > %t/gptq.body
// RUN: diff %t/nearest.body %t/gptq.body
// RUN: not cmp -s %t/nearest.safetensors %t/gptq.safetensors

// The codes do not depend on threads, nor on how often they are refined.
// RUN: ssmq-opt %t/nearest.mlir --ssmq-refine="tokens=%t/tokens.json sequence-length=6 original=%t/model.safetensors output=%t/threads.safetensors threads=1" -o /dev/null
// RUN: cmp %t/gptq.safetensors %t/threads.safetensors
// RUN: ssmq-opt %t/nearest.mlir --ssmq-refine="method=mse original=%t/model.safetensors output=%t/mse.safetensors" -o %t/mse.mlir
// RUN: ssmq-opt %t/mse.mlir --ssmq-refine="method=mse original=%t/model.safetensors output=%t/again.safetensors" -o /dev/null
// RUN: cmp %t/mse.safetensors %t/again.safetensors

// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="method=best original=%t/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=METHOD
// METHOD: error: method 'best' is not known; take mse, hessian or gptq
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=ORIGINAL
// ORIGINAL: error: ssmq-refine needs original=CHECKPOINT, which was quantized, and output=FILE
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="original=%t/none output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: error: {{.*}}none
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="original=%t output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=NOTOKENS
// NOTOKENS: error: method=gptq needs tokens=FILE, the calibration tokens
// RUN: echo "[11,1]" > %t/outside.json
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="tokens=%t/outside.json original=%t/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: error: token 11 is outside the vocabulary of 11
// RUN: echo "[]" > %t/empty.json
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="tokens=%t/empty.json original=%t/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: empty.json: the text has 0 tokens; scoring needs 2 or more

// Another model, the quantized file itself, and a value that is no number, as the original.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t-shape shape=model.layers.0.mamba.in_proj.weight
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="method=mse original=%t-shape/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="method=mse original=%t/nearest.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: weight '{{.*}}' has another shape in the original checkpoint
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t-nan nan=model.layers.0.mamba.in_proj.weight
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-refine="method=mse original=%t-nan/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: weight 'model.layers.0.mamba.in_proj.weight': {{.*}}not finite

// Nothing to refine, before codes are stored and after they are packed.
// RUN: ssmq-translate --import-hf %t -o %t/float.mlir
// RUN: not ssmq-opt %t/float.mlir --ssmq-refine="method=mse original=%t/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not ssmq-opt %t/nearest.mlir --ssmq-pack --ssmq-refine="method=mse original=%t/model.safetensors output=%t/no.safetensors" 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: no weight is stored in codes; run --ssmq-quantize first, and --ssmq-pack only afterwards
// RUN: not test -e %t/no.safetensors
