//===- EvaluableOpInterface.cpp -----------------------------------------------===//

#include "ssmq/Interfaces/EvaluableOpInterface.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

SmallVector<Value> mlir::ssm::getCapturedValues(Operation *op) {
  llvm::SetVector<Value> values;
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values.takeVector();
}

#include "ssmq/Interfaces/EvaluableOpInterface.cpp.inc"
