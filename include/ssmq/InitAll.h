//===- InitAll.h - Registration of everything of ours -----------*- C++ -*-===//
//
// The one list of our dialects and passes. ssmq-opt, the language server and the plug-in call it,
// so what one of them knows, all know. Upstream dialects are left to the caller: a plug-in's host
// has registered its own.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_INITALL_H
#define SSMQ_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::ssm {

/// Adds our dialects and the interfaces they attach to upstream ops.
void registerAllDialects(DialectRegistry &registry);

/// Adds our passes and pipelines to the process's pass registry.
void registerAllPasses();

} // namespace mlir::ssm

#endif // SSMQ_INITALL_H
