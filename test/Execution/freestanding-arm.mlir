// REQUIRES: clang, ld.lld, qemu-arm
// An object for a Cortex-M gives the interpreter's logits.
// RUN: rm -rf %t && mkdir -p %t/m4
// RUN: %python %S/../Inputs/make_sequences.py %t/data.safetensors 3 12 2 4
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t/model 'pooling="mean"'
// RUN: ssmq-run %t/model --sequences %t/data.safetensors --sequence 1 --backend=interpreter --logits %t/logits.safetensors
// RUN: ssmq-run %t/model --emit=obj --freestanding --target cortex-m4 -o %t/m4/model.o
// RUN: ssmq-run %t/model --emit=header --freestanding --target cortex-m4 -o %t/m4/model.h
// RUN: llvm-nm -u %t/m4/model.o | count 0
// RUN: %python %S/../Inputs/run_freestanding.py %t/m4 %t/data.safetensors 1 %t/logits.safetensors 1e-4 clang qemu-arm -- --target=thumbv7em-none-eabihf -mcpu=cortex-m4
