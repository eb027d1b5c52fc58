//===- MixDocument.cpp - What whole mixes cost ----------------------------===//

#include "ssmq/Measure/MixDocument.h"

#include "ssmq/Measure/SummaryJson.h"
#include "ssmq/Support/JsonFields.h"

using namespace ssmq;
namespace json = llvm::json;

static constexpr llvm::StringLiteral documentName = "ssmq-mixes";
static constexpr int64_t documentVersion = 1;

static json::Object describe(const MeasuredMix &mix, int64_t vocabSize) {
  json::Array pairs, marginals;
  for (const PairTerm &pair : mix.pairs)
    pairs.push_back(json::Object{
        {"sites", json::Array{json::fixUTF8(pair.first.site), json::fixUTF8(pair.second.site)}},
        {"formats", json::Array{pair.first.format, pair.second.format}},
        {"term", toJSON(pair.term)}});
  for (const Marginal &one : mix.marginals)
    marginals.push_back(json::Object{{"site", json::fixUTF8(one.changed.site)},
                                     {"format", one.changed.format},
                                     {"forwardKL", toJSON(one.forwardKL)},
                                     {"change", toJSON(one.change)}});
  return json::Object{{"name", json::fixUTF8(mix.name)},
                      {"method", json::fixUTF8(mix.method)},
                      {"predictedKL", finiteOrNull(mix.predictedKL)},
                      {"estimates", toJSON(summarize(mix.sums, vocabSize))},
                      {"sums", makeColumns(mix.sums)},
                      {"pairs", std::move(pairs)},
                      {"marginals", std::move(marginals)}};
}

json::Value ssmq::makeMixDocument(const RunIdentity &run, llvm::ArrayRef<MeasuredMix> mixes) {
  json::Array list, differences;
  for (size_t i = 0; i < mixes.size(); ++i) {
    list.push_back(describe(mixes[i], run.vocabSize));
    for (size_t j = i + 1; j < mixes.size(); ++j)
      differences.push_back(json::Object{
          {"mixes", json::Array{static_cast<int64_t>(i), static_cast<int64_t>(j)}},
          {"forwardKL", toJSON(combineKL({{1, mixes[i].sums}, {-1, mixes[j].sums}}))}});
  }
  return json::Object{{"document", documentName},
                      {"version", documentVersion},
                      {"run", toJSON(run)},
                      {"mixes", std::move(list)},
                      {"differences", std::move(differences)}};
}
