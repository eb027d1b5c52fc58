//===- GemmOneDNN.h - GEMM by oneDNN where it is built in -------*- C++ -*-===//

#ifndef SSMQ_KERNELS_GEMMONEDNN_H
#define SSMQ_KERNELS_GEMMONEDNN_H

#include "ssmq/Kernels/Gemm.h"

namespace ssmq {

/// False when this build has no oneDNN or the library refused; C is then unspecified.
bool multiplyOneDNN(ConstMatrix a, ConstMatrix b, bool transposedB, MutableMatrix c,
                    GemmShape shape, unsigned threads);

} // namespace ssmq

#endif // SSMQ_KERNELS_GEMMONEDNN_H
