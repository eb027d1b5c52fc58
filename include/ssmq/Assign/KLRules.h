//===- KLRules.h - The published rules, as baselines ------------*- C++ -*-===//
//
// The two rules of "A KL Lens on Quantization" (Kong, Pandey, Ponzina and Rosing, arXiv
// 2604.13440). Both walk all (site, format) of the table by rising KL(q||p), the direction that the
// authors use; where a table lacks it for any of them, by rising KL(p||q). Sites that are not
// reached stay as they are.
//
// The cut at point i of 1..10 takes the first i * ((n - 1) / 10) of the n entries, so that the last
// one, the most sensitive, is never taken; of two entries of a site the later one holds. (As in the
// authors' quantize_mixed.py, github.com/jasonkongie/XAMBA, commit 2d5645c; an earlier version
// there cut at i * n / 10.)
//
// The greedy rule tries each entry in turn and keeps it while the perplexity of the mix is at most
// gamma times a reference, else goes back to what the site had. In the authors' code the reference
// is the perplexity of the last mix that was kept, so that n steps may multiply it by gamma^n
// (compounding); without that it stays the perplexity of the original model. The authors measure
// the mix at each step; so may a caller here. Without a measurement the logarithm of the perplexity
// is taken to change by the sum of what the sites change it alone. (The authors round a weight to 4
// bits that may be rounded to 8 already; here each format is of the original.)
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_KLRULES_H
#define SSMQ_ASSIGN_KLRULES_H

#include "ssmq/Assign/Assignment.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace ssmq {

/// Fails when a site cannot be kept as it is, and when `point` is not of 1..10.
llvm::Expected<Assignment> assignByCut(const AssignmentProblem &problem, int point);

/// The change of the cross-entropy, in nats a token, when the i-th site takes its choices[i].
using MeasureMix = llvm::function_ref<llvm::Expected<double>(llvm::ArrayRef<size_t> choices)>;

struct PerplexityRule {
  /// Above 1.
  double gamma = 1.10;
  bool compounding = true;
};

/// The greedy rule; `measure` is null for the sum over sites, which fails when the table has no
/// perplexities.
llvm::Expected<Assignment> assignByPerplexity(const AssignmentProblem &problem,
                                              const PerplexityRule &rule,
                                              MeasureMix measure = nullptr);

} // namespace ssmq

#endif // SSMQ_ASSIGN_KLRULES_H
