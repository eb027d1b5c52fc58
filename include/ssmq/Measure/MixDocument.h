//===- MixDocument.h - What whole mixes cost --------------------*- C++ -*-===//
//
// {"document": "ssmq-mixes", "version": 1, "run": {...},
//  "mixes": [{"name", "method", "predictedKL", "estimates": {...}, "sums": {...},
//             "pairs": [{"sites": [s, t], "formats": [f, g], "term": {...}}],
//             "marginals": [{"site", "format", "forwardKL": {...}, "change": {...}}]}],
//  "differences": [{"mixes": [i, j], "forwardKL": {...}}]}
//
// Of one teacher on the same sequences, so that differences (KL of the i-th less that of the j-th)
// are paired. The term of a pair is KL(s, t) - KL(s) - KL(t): what the sum of both misses. A
// marginal is the KL of the mix with another format at a site ("keep" is full precision), and that
// less the KL of the mix.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_MIXDOCUMENT_H
#define SSMQ_MEASURE_MIXDOCUMENT_H

#include "ssmq/Measure/DivergenceSummary.h"
#include "ssmq/Measure/SequenceRecord.h"
#include "llvm/Support/JSON.h"

namespace ssmq {

struct PairTerm {
  Candidate first, second;
  Estimate term;
};

struct Marginal {
  Candidate changed;
  Estimate forwardKL, change;
};

struct MeasuredMix {
  std::string name, method;
  /// By a table; NaN without one.
  double predictedKL = 0;
  /// One element a sequence.
  std::vector<DivergenceSums> sums;
  std::vector<PairTerm> pairs = {};
  std::vector<Marginal> marginals = {};
};

llvm::json::Value makeMixDocument(const RunIdentity &run, llvm::ArrayRef<MeasuredMix> mixes);

} // namespace ssmq

#endif // SSMQ_MEASURE_MIXDOCUMENT_H
