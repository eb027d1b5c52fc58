//===- ModelIdentity.h - Which model was measured ---------------*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_MODELIDENTITY_H
#define SSMQ_LIB_TRANSFORMS_MODELIDENTITY_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class ModuleOp;
}
namespace ssmq {
class WeightStore;
}

namespace mlir::ssm {

/// 16 hexadecimal digits.
std::string toHex(uint64_t hash);

/// Of the names and bytes of all weights, in the checkpoint and in constants of the module.
llvm::Expected<std::string> hashWeights(ModuleOp module, const ::ssmq::WeightStore &store);

/// The name of the checkpoint's folder or, without one, of the module or its file.
std::string getModelName(ModuleOp module, const ::ssmq::WeightStore &store);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_MODELIDENTITY_H
