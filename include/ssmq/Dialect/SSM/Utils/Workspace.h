//===- Workspace.h - Memory that a freestanding entry is given --*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_UTILS_WORKSPACE_H
#define SSMQ_DIALECT_SSM_UTILS_WORKSPACE_H

#include "llvm/ADT/StringRef.h"

namespace mlir::ssm {

/// Attribute of an entry whose last argument is its workspace (--ssmq-plan-buffers=workspace): the
/// bytes of it.
inline constexpr llvm::StringLiteral kWorkspaceAttrName = "ssm.workspace_bytes";

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_UTILS_WORKSPACE_H
