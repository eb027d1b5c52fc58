//===- Ties.h - Sites that take one format together -------------*- C++ -*-===//
//
// A runtime that fuses q, k and v into one matrix stores them in one format. A pattern is a POSIX
// extended regular expression, searched in the names of sites; sites that it finds with the same
// captured text become one item: `layers\.([0-9]+)\.self_attn\.[qkv]_proj` ties the three of each
// layer, `embed|lm_head` these two.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_TIES_H
#define SSMQ_ASSIGN_TIES_H

#include "ssmq/Assign/Choices.h"

namespace ssmq {

/// Replaces tied sites by one, in the place of the first, with the choices that all of them have;
/// costs and uses are summed. Fails on a pattern that is none, finds no site, or ties a site that
/// another one tied, and where the sites have no format in common.
llvm::Error tieSites(AssignmentProblem &problem, llvm::ArrayRef<std::string> patterns);

} // namespace ssmq

#endif // SSMQ_ASSIGN_TIES_H
