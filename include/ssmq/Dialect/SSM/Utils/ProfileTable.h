//===- ProfileTable.h - The ops that a profiled program times ---*- C++ -*-===//
//
// The module attribute `ssm.profile`: what the numbers mean that the instrumented program hands to
// ssmq_profile_end (Runtime/Profile.h). It stays on the module through the lowering.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_UTILS_PROFILETABLE_H
#define SSMQ_DIALECT_SSM_UTILS_PROFILETABLE_H

#include "mlir/Support/LLVM.h"
#include "ssmq/Runtime/Profile.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

inline constexpr llvm::StringLiteral kProfileAttrName = "ssm.profile";

void setProfileTable(ModuleOp module, ArrayRef<ssmq::ProfiledOp> ops);
/// Empty when the program is not instrumented.
std::vector<ssmq::ProfiledOp> getProfileTable(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_UTILS_PROFILETABLE_H
