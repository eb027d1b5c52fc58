//===- Status.h - Errors across the C interface -----------------*- C++ -*-===//
//
// Every C function that can fail runs its body in `guard`, which turns an llvm::Error and a C++
// exception into a status and this thread's message.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CAPI_STATUS_H
#define SSMQ_LIB_CAPI_STATUS_H

#include "ssmq-c/SSMQ.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace ssmq::capi {

/// The llvm::Error of a call that breaks the rules of the interface.
llvm::Error usageError(const llvm::Twine &message);

/// Fails when a pointer argument is null.
llvm::Error checkPointers(std::initializer_list<const void *> pointers);

SsmqStatus guard(llvm::function_ref<llvm::Error()> body);

} // namespace ssmq::capi

#endif // SSMQ_LIB_CAPI_STATUS_H
