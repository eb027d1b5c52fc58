//===- UnusedWeights.cpp - Weights that nothing reads any more ------------===//

#include "UnusedWeights.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

void mlir::ssm::eraseUnused(SymbolTable &symbols, ArrayRef<Operation *> loads) {
  llvm::SetVector<Operation *> globals;
  for (Operation *op : loads)
    if (op->use_empty()) {
      auto load = cast<ml_program::GlobalLoadConstOp>(op);
      if (Operation *global = symbols.lookup(load.getGlobal().getLeafReference()))
        globals.insert(global);
      op->erase();
    }
  for (Operation *global : globals)
    if (SymbolTable::symbolKnownUseEmpty(global, symbols.getOp()))
      symbols.erase(global);
}
