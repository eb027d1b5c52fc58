// What cannot be freestanding is told in one line, and nothing is written.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t/model
// RUN: not ssmq-run %t/model --emit=so --freestanding -o %t/model.so 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: --freestanding is of --emit=obj and --emit=header, with the weights inside
// RUN: not ssmq-run %t/model --emit=obj --freestanding --steps 0 -o %t/model.o 2>&1 | FileCheck %s --check-prefix=STEPS
// RUN: not ssmq-run %t/model --emit=obj --steps 2 -o %t/model.o 2>&1 | FileCheck %s --check-prefix=STEPS
// STEPS: error: --steps is of --freestanding, from 1 to 4096
// RUN: not ssmq-run %t/model --emit=obj --freestanding --name=a-b -o %t/model.o 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not ssmq-run %t/model --emit=header --freestanding --name=a-b -o %t/model.o 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: the name 'a-b' is not a C identifier
// RUN: not ssmq-run %t/model --emit=obj --freestanding --target cortex-a53 -o %t/model.o 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'cortex-a53'
// RUN: not ssmq-run %t/model --emit=obj --freestanding --target cortex-m4 --mattr=+neon -o %t/model.o 2>&1 | FileCheck %s --check-prefix=FEATURES
// FEATURES: error: features of cortex-m4 cannot be changed; name another processor
// RUN: not ssmq-run %t/model --emit=so --target cortex-m4 -o %t/model.so 2>&1 | FileCheck %s --check-prefix=HOST
// HOST: error: code for target 'cortex-m4' cannot run here; it can be emitted
// A cache of attention grows.
// RUN: %python %S/../Inputs/make_checkpoint.py bamba %t/bamba
// RUN: not ssmq-run %t/bamba --emit=obj --freestanding -o %t/model.o 2>&1 | FileCheck %s --check-prefix=CACHE
// CACHE: error: state '{{.*}}' grows with the sequence, and a freestanding object has states of fixed size only
// RUN: ls %t | count 2

// Where the processor has no floating point, the compiler's runtime has; square roots, of a norm, it
// has not.
// RUN: not ssmq-run %t/model --emit=obj --freestanding --target cortex-m0 -o %t/model.o 2>&1 | FileCheck %s --check-prefix=ROOT
// ROOT: error: the program needs sqrtf, which a freestanding object does without
// RUN: not ls %t/model.o
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t/plain 'norm="none"'
// RUN: ssmq-run %t/plain --emit=obj --freestanding --target cortex-m0 -o %t/model.o | FileCheck %s --check-prefix=SOFT
// SOFT: calls of the compiler's runtime: {{.*}}add
