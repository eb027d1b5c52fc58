//===- ForeignTable.h - Choices from CSV ------------------------*- C++ -*-===//
//
// Tables that somebody else measured, or that `ssmq export --csv` wrote: a line for each (site,
// format) under a line of column names, RFC 4180. Two sets of columns are understood, others beside
// them are passed over:
//
//   layer, bits, kl_q_p_per_token [, perplexity]    of KL-MPQ (arXiv 2604.13440); `4` bits are the
//                                                   format "int4". The KL is KL(q||p), the only one
//                                                   there is, and stands for the cost.
//   site, kind, format, bytes, elements, forwardKL [, reverseKL, crossEntropyChange]
//                                                   ours (docs/Tables.md)
//
// Neither has the size of the model: the first none at all, the second that of its sites, which
// then stand for the model and cannot be kept (their original bytes are not told).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_FOREIGNTABLE_H
#define SSMQ_ASSIGN_FOREIGNTABLE_H

#include "ssmq/Assign/Choices.h"

namespace ssmq {

struct ForeignOptions {
  /// With keepFormat everywhere sizes are unknown.
  bool allowKeep = true;
  std::vector<std::string> formats = {};
  /// Of the original model; without it the least of the file stands for it.
  std::optional<double> perplexity = std::nullopt;
};

/// Whether the name says CSV.
bool isCsv(llvm::StringRef path);

/// Fails on a file that lacks columns, on lines of other lengths, on a pair that comes twice and on
/// numbers that are none, naming the line.
llvm::Expected<AssignmentProblem> readForeignTable(llvm::StringRef path,
                                                   const ForeignOptions &options = {});

} // namespace ssmq

#endif // SSMQ_ASSIGN_FOREIGNTABLE_H
