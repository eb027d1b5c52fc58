// REQUIRES: clang, ld.lld
// Objects without a C library give the interpreter's logits, with and without fused multiply-adds.
// RUN: rm -rf %t && mkdir -p %t/base %t/v3
// RUN: %python %S/../Inputs/make_sequences.py %t/data.safetensors 3 12 2 4
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t/model 'pooling="mean"'
// RUN: ssmq-run %t/model --sequences %t/data.safetensors --sequence 2 --backend=interpreter --logits %t/logits.safetensors

// RUN: ssmq-run %t/model --emit=obj --freestanding --target x86-64 -o %t/base/model.o | FileCheck %s --check-prefix=SIZES
// RUN: ssmq-run %t/model --emit=header --freestanding --target x86-64 -o %t/base/model.h
// RUN: llvm-nm -u %t/base/model.o | count 0
// RUN: llvm-nm --defined-only --extern-only %t/base/model.o | FileCheck %s --check-prefix=SYMBOLS
// RUN: llvm-objdump -h %t/base/model.o | FileCheck %s --check-prefix=SECTIONS
// RUN: FileCheck %s --check-prefix=HEADER < %t/base/model.h
// RUN: %python %S/../Inputs/run_freestanding.py %t/base %t/data.safetensors 2 %t/logits.safetensors 1e-4 clang

// Several steps a call, on a newer processor.
// RUN: ssmq-run %t/model --emit=obj --freestanding --target x86-64-v3 --steps 3 -o %t/v3/model.o
// RUN: ssmq-run %t/model --emit=header --freestanding --target x86-64-v3 --steps 3 -o %t/v3/model.h
// RUN: llvm-nm -u %t/v3/model.o | count 0
// RUN: grep "STEPS 3" %t/v3/model.h
// RUN: %python %S/../Inputs/run_freestanding.py %t/v3 %t/data.safetensors 2 %t/logits.safetensors 1e-4 clang

// SIZES: code: {{[0-9]+}} bytes
// SIZES-NEXT: read-only data: {{[0-9]+}} bytes
// SIZES-NEXT: of it weights: [[#WEIGHTS:]] bytes
// SIZES-NEXT: state: [[#STATE:]] bytes
// SIZES-NEXT: workspace: [[#WORKSPACE:]] bytes
// SIZES-NEXT: stack: [[#STACK:]] bytes
// SIZES-NEXT: flash: {{[0-9]+}} bytes
// SIZES-NEXT: RAM: [[#STATE + WORKSPACE + STACK]] bytes
// SIZES-NOT: runtime
// SYMBOLS: T model_init
// SYMBOLS-NEXT: T model_step
// SYMBOLS-NOT: {{[^ ]}}
// SECTIONS-NOT: .data
// SECTIONS-NOT: .bss
// SECTIONS-NOT: lrodata
// SECTIONS-NOT: eh_frame
// HEADER: #define MODEL_STEPS 1
// HEADER: #define MODEL_FEATURES 2
// HEADER: #define MODEL_CLASSES 4
// HEADER: void model_init(model_state *state);
// HEADER: void model_step(model_state *state, model_workspace *workspace, const float *features,
// HEADER-NEXT: {{^}}                float *logits);
