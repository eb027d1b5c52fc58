//===- SummaryJson.cpp - Divergences as members of documents --------------===//

#include "ssmq/Measure/SummaryJson.h"

#include "ssmq/Support/JsonFields.h"

using namespace ssmq;
namespace json = llvm::json;

static constexpr EstimateField estimateFields[] = {
    {"forwardKL", &DivergenceSummary::forwardKL},
    {"reverseKL", &DivergenceSummary::reverseKL},
    {"meanSquaredError", &DivergenceSummary::meanSquaredError},
    {"signalToNoise", &DivergenceSummary::signalToNoise},
    {"crossEntropyChange", &DivergenceSummary::crossEntropyChange},
    {"perplexityChange", &DivergenceSummary::perplexityChange},
    {"crossEntropyCorrelation", &DivergenceSummary::crossEntropyCorrelation},
    {"probabilityChange", &DivergenceSummary::probabilityChange},
    {"rmsProbabilityChange", &DivergenceSummary::rmsProbabilityChange},
    {"sameTop1", &DivergenceSummary::sameTop1},
    {"accuracy", &DivergenceSummary::accuracy},
    {"accuracyChange", &DivergenceSummary::accuracyChange},
    {"teacherCrossEntropy", &DivergenceSummary::teacherCrossEntropy},
};
llvm::ArrayRef<EstimateField> ssmq::getEstimateFields() { return estimateFields; }

json::Object ssmq::toJSON(const Estimate &estimate) {
  return json::Object{{"mean", finiteOrNull(estimate.mean)},
                      {"standardError", finiteOrNull(estimate.standardError)}};
}

json::Object ssmq::toJSON(const DivergenceSummary &summary) {
  json::Object object{{"sequences", summary.numSequences}, {"positions", summary.numScored}};
  for (const EstimateField &field : estimateFields)
    object[field.name] = toJSON(summary.*field.member);
  return object;
}

json::Object ssmq::makeColumns(llvm::ArrayRef<DivergenceSums> sequences) {
  json::Object columns;
  auto addColumn = [&](const auto &field) {
    json::Array column;
    for (const DivergenceSums &one : sequences)
      column.push_back(one.*field.member);
    columns[field.name] = std::move(column);
  };
  for (const CountField &field : getCountFields())
    addColumn(field);
  for (const SumField &field : getSumFields())
    addColumn(field);
  return columns;
}
