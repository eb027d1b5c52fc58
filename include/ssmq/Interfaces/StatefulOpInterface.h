//===- StatefulOpInterface.h - Ops that carry a state -----------*- C++ -*-===//

#ifndef SSMQ_INTERFACES_STATEFULOPINTERFACE_H
#define SSMQ_INTERFACES_STATEFULOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include <utility>

#include "ssmq/Interfaces/StatefulOpInterface.h.inc"

#endif // SSMQ_INTERFACES_STATEFULOPINTERFACE_H
