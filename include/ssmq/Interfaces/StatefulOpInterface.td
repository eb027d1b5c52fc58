//===- StatefulOpInterface.td - Ops that carry a state --------*- tablegen -*-===//

#ifndef SSMQ_INTERFACES_STATEFULOPINTERFACE
#define SSMQ_INTERFACES_STATEFULOPINTERFACE

include "mlir/IR/OpBase.td"

def StatefulOpInterface : OpInterface<"StatefulOpInterface"> {
  let description = [{
    An op that takes states as operands and returns their next values as results of the same
    types. Compiled code updates such a state in place.
  }];
  let cppNamespace = "::mlir::ssm";
  let methods = [
    InterfaceMethod<"Each state operand with the result that is its next value.",
      "::llvm::SmallVector<std::pair<::mlir::OpOperand *, ::mlir::OpResult>>", "getStates">,
  ];
}

#endif // SSMQ_INTERFACES_STATEFULOPINTERFACE
