//===- Uniform.h - The same format everywhere -------------------*- C++ -*-===//

#ifndef SSMQ_ASSIGN_UNIFORM_H
#define SSMQ_ASSIGN_UNIFORM_H

#include "ssmq/Assign/Assignment.h"

namespace ssmq {

/// Gives `format` to every site. A site that does not offer it takes `fallback`, which the report
/// counts; it is an error when there is none.
llvm::Expected<Assignment> assignUniform(const AssignmentProblem &problem, llvm::StringRef format,
                                         std::optional<llvm::StringRef> fallback = std::nullopt);

} // namespace ssmq

#endif // SSMQ_ASSIGN_UNIFORM_H
