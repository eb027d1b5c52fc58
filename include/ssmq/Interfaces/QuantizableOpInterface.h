//===- QuantizableOpInterface.h - Ops with quantization sites ---*- C++ -*-===//

#ifndef SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H
#define SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"

#include "ssmq/Interfaces/QuantizableOpInterface.h.inc"

#endif // SSMQ_INTERFACES_QUANTIZABLEOPINTERFACE_H
