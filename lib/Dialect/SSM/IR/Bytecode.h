//===- Bytecode.h - The dialect in bytecode ---------------------*- C++ -*-===//
//
// Files say which version of the dialect they hold. Properties of an op are one dictionary by name,
// so that an op may gain an optional property and files of before stay readable; what else changes
// the meaning of a file raises the version.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_DIALECT_SSM_IR_BYTECODE_H
#define SSMQ_LIB_DIALECT_SSM_IR_BYTECODE_H

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OperationSupport.h"

namespace mlir::ssm {

class SSMDialect;

/// Lets files have the version of the dialect, and refuses those of versions that are not read.
void addBytecodeInterface(SSMDialect &dialect);

/// Fails with one line when the file says no version.
LogicalResult checkHasVersion(DialectBytecodeReader &reader);

template <typename OpTy>
LogicalResult readNamedProperties(DialectBytecodeReader &reader, OperationState &state) {
  auto &properties = state.getOrAddProperties<typename OpTy::Properties>();
  DictionaryAttr named;
  if (failed(checkHasVersion(reader)) || failed(reader.readOptionalAttribute(named)))
    return failure();
  if (!named)
    return success();
  return OpTy::setPropertiesFromAttr(properties, named, [&] { return reader.emitError(); });
}

} // namespace mlir::ssm

#endif // SSMQ_LIB_DIALECT_SSM_IR_BYTECODE_H
