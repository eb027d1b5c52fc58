//===- TableTestUtils.h - Small runs for tests ------------------*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_MEASURE_TABLETESTUTILS_H
#define SSMQ_TEST_UNIT_MEASURE_TABLETESTUTILS_H

#include "ssmq/Measure/SensitivityTable.h"
#include <random>

namespace ssmq::test {

inline RunIdentity makeIdentity() {
  RunIdentity identity;
  identity.model = "tiny";
  identity.checkpoint = "1234";
  identity.calibration = "text \"of\" <us>";
  identity.calibrationDigest = "abcd";
  identity.formatSet = "1";
  identity.sequenceLength = 16;
  identity.numSequences = 4;
  identity.vocabSize = 11;
  return identity;
}

/// Sums that look measured, the same for the same seed.
inline DivergenceSums makeSums(unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  DivergenceSums sums;
  sums.numScored = 15;
  sums.numSameTop1 = random() % 16;
  sums.forwardKL = uniform(random) * 1e-7;
  sums.reverseKL = uniform(random) / 3;
  sums.squaredError = uniform(random);
  sums.squaredTeacher = 1e6 * uniform(random);
  sums.teacherCrossEntropy = 15 * uniform(random);
  sums.crossEntropyChange = uniform(random) - 0.5;
  sums.squaredTeacherCrossEntropy = 60 + 60 * uniform(random);
  sums.squaredCrossEntropyChange = uniform(random);
  sums.crossEntropyProduct = uniform(random) - 0.5;
  sums.probabilityChange = uniform(random) - 0.5;
  sums.squaredProbabilityChange = uniform(random);
  return sums;
}

/// Two sites, two formats each, four sequences, and a noise floor.
inline SensitivityTable makeEmptyTable() {
  SensitivityTable table(makeIdentity(), {1000, 64},
                         {{"layers.0.in:weight", SiteKind::Weight, 4, 16, 64, 128},
                          {"head:weight", SiteKind::Weight, 8, 4, 32, 64}});
  for (const char *site : {"layers.0.in:weight", "head:weight"}) {
    llvm::cantFail(table.addCandidate({site, "i8"}, 70));
    llvm::cantFail(table.addCandidate({site, "i4"}, 40));
  }
  return table;
}

inline std::vector<SequenceRecord> makeRecords() {
  std::vector<SequenceRecord> records;
  for (int64_t sequence = 0; sequence < 4; ++sequence) {
    for (const char *site : {"layers.0.in:weight", "head:weight"})
      for (const char *format : {"i4", "i8"})
        records.push_back({sequence, {site, format}, makeSums(records.size())});
    records.push_back({sequence, {noiseFloorSite.str(), "bf16"}, makeSums(records.size())});
  }
  return records;
}

inline SensitivityTable makeTable(llvm::ArrayRef<SequenceRecord> records) {
  SensitivityTable table = makeEmptyTable();
  for (const SequenceRecord &record : records)
    llvm::cantFail(table.addRecord(record));
  return table;
}

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_MEASURE_TABLETESTUTILS_H
