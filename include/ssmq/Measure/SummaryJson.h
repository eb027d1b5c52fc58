//===- SummaryJson.h - Divergences as members of documents ------*- C++ -*-===//

#ifndef SSMQ_MEASURE_SUMMARYJSON_H
#define SSMQ_MEASURE_SUMMARYJSON_H

#include "ssmq/Measure/DivergenceSummary.h"
#include "llvm/Support/JSON.h"

namespace ssmq {

/// The estimates that documents hold, with their names.
struct EstimateField {
  llvm::StringLiteral name;
  Estimate DivergenceSummary::*member;
};
llvm::ArrayRef<EstimateField> getEstimateFields();

/// {"mean", "standardError"}, null where there is none.
llvm::json::Object toJSON(const Estimate &estimate);
/// {"sequences", "positions", "forwardKL": {...}, ...}
llvm::json::Object toJSON(const DivergenceSummary &summary);

/// A column for each sum, under its name, with one entry a sequence.
llvm::json::Object makeColumns(llvm::ArrayRef<DivergenceSums> sequences);

} // namespace ssmq

#endif // SSMQ_MEASURE_SUMMARYJSON_H
