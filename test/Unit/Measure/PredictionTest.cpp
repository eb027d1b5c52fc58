//===- PredictionTest.cpp - Predicted divergences and the plan ------------===//

#include "TableTestUtils.h"
#include "ssmq/Measure/MeasurementPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

static constexpr size_t numSequences = 4;
static const std::vector<int64_t> kScored(numSequences, 15);
static const std::vector<double> kErrors = {4, 1, 0.25};

/// A divergence of gain x local error x the sequence's scale, and twice that the other way.
static DivergenceSums makeProportional(double gain, double error, double scale) {
  DivergenceSums sums;
  sums.numScored = 15;
  sums.forwardKL = gain * error * scale;
  sums.reverseKL = 2 * sums.forwardKL;
  sums.squaredError = 10 * sums.forwardKL;
  sums.squaredTeacher = 100;
  return sums;
}

namespace {
/// A site of three formats whose divergences obey the model, all of them known to `truth`.
struct Obedient {
  explicit Obedient(double bend = 0) : truth(3, numSequences), site(3, numSequences) {
    for (size_t k = 0; k < numSequences; ++k) {
      double scale = 1 + 0.5 * static_cast<double>(k);
      site.setLogScale(k, std::log(scale));
      for (size_t f = 0; f < 3; ++f) {
        truth.at(f, k).sums =
            makeProportional(1e-3 * std::pow(kErrors[f], bend), kErrors[f], scale);
        truth.at(f, k).localError = kErrors[f];
      }
    }
  }

  /// Follows the plan, as a sweep does; the number of measured cells.
  size_t follow(const MeasurementPlan &plan) {
    size_t count = 0;
    auto measure = [&](size_t format, size_t k) {
      count += !site.at(format, k).sums;
      site.at(format, k).sums = truth.at(format, k).sums;
    };
    for (size_t k = 0; k < numSequences; ++k) {
      for (size_t format : plan.chooseLocal(site, k))
        site.at(format, k).localError = truth.at(format, k).localError;
      for (size_t format : plan.chooseMeasured(site, k))
        measure(format, k);
    }
    for (size_t cell = 0; plan.needsAll(site) && cell < 3 * numSequences; ++cell)
      measure(cell / numSequences, cell % numSequences);
    return count;
  }

  double getTruth(size_t format) const {
    double sum = 0;
    for (size_t k = 0; k < numSequences; ++k)
      sum += truth.at(format, k).sums->forwardKL;
    return sum / (15 * numSequences);
  }

  SiteCells truth, site;
};
} // namespace

TEST(MeasurementPlanTest, MeasuresAllWithoutATolerance) {
  Obedient site;
  EXPECT_EQ(site.follow(MeasurementPlan(0)), 12u);
}

TEST(MeasurementPlanTest, AnchorOnEachSequenceAndOneOpposite) {
  Obedient site;
  // The gains agree, so that after some sequences the mean is known well enough.
  EXPECT_EQ(site.follow(MeasurementPlan(0.11)), 5u);
  EXPECT_TRUE(site.site.at(0, 0).sums);
  EXPECT_TRUE(site.site.at(2, 0).sums);
  EXPECT_FALSE(site.site.at(1, 0).sums);
  Obedient again;
  EXPECT_EQ(again.follow(MeasurementPlan(0.4)), 2u);
}

TEST(MeasurementPlanTest, ASiteThatDisobeysIsMeasuredWhole) {
  Obedient bent(0.5);
  EXPECT_EQ(bent.follow(MeasurementPlan(0.15)), 12u);
}

TEST(MeasurementPlanTest, NothingIsMeasuredWhereNothingChanges) {
  Obedient site;
  for (size_t f = 0; f < 3; ++f)
    site.truth.at(f, 0).localError = 0;
  EXPECT_EQ(site.follow(MeasurementPlan(0.15)), 0u);
  for (size_t f = 0; f < 3; ++f)
    for (size_t k = 0; k < numSequences; ++k)
      site.site.at(f, k).localError = 0;
  std::optional<PredictedRow> row = predictRow(site.site, 1, kScored);
  ASSERT_TRUE(row);
  EXPECT_EQ(summarize(*row, 11).forwardKL.mean, 0);
}

TEST(MeasurementPlanTest, ASiteWithoutADivergenceIsMeasuredWhole) {
  Obedient site;
  for (size_t f = 0; f < 3; ++f)
    for (size_t k = 0; k < numSequences; ++k)
      site.truth.at(f, k).sums = makeProportional(0, kErrors[f], 1);
  EXPECT_EQ(site.follow(MeasurementPlan(0.15)), 12u);
}

TEST(PredictionTest, AnObedientSiteIsPredictedExactly) {
  for (double precision : {0.11, 0.4}) {
    Obedient site;
    site.follow(MeasurementPlan(precision));
    for (size_t format = 0; format < 3; ++format) {
      std::optional<PredictedRow> row = predictRow(site.site, format, kScored);
      ASSERT_TRUE(row);
      DivergenceSummary summary = summarize(*row, 11);
      double truth = site.getTruth(format);
      EXPECT_NEAR(summary.forwardKL.mean, truth, 1e-12 * truth);
      EXPECT_NEAR(summary.reverseKL.mean, 2 * truth, 1e-12 * truth);
      EXPECT_NEAR(summary.meanSquaredError.mean * 11, 10 * truth, 1e-12 * truth);
      EXPECT_TRUE(std::isnan(summary.crossEntropyChange.mean));
      EXPECT_TRUE(std::isnan(summary.sameTop1.mean));
      // What was not measured widens the error of sampling.
      double sampling = summarize(row->sums, 11).forwardKL.standardError;
      EXPECT_NEAR(summary.forwardKL.standardError, std::hypot(sampling, row->relativeError * truth),
                  1e-12 * truth);
      EXPECT_GT(row->relativeError, format == 0 && precision == 0.11 ? -1 : 0);
    }
  }
}

TEST(PredictionTest, ErrorsGrowWithDisagreement) {
  Obedient straight, bent(0.1);
  MeasurementPlan plan(0.2);
  straight.follow(plan);
  bent.follow(plan);
  EXPECT_LT(estimateErrors(straight.site).format, priorFormatError);
  EXPECT_GT(estimateErrors(bent.site).format, priorFormatError);
}

TEST(PredictionTest, NeedsAMeasurement) {
  SiteCells site(2, 1);
  site.at(0, 0).localError = 1;
  EXPECT_FALSE(predictRow(site, 0, {15}));
  site.at(1, 0).sums = makeProportional(1, 1, 1);
  EXPECT_FALSE(predictRow(site, 0, {15})); // its local error is not known
  site.at(1, 0).localError = 2;
  EXPECT_TRUE(predictRow(site, 0, {15}));
}

namespace {
/// Three sites of one cut with one format each; the gains of the second and third differ by `apart`
/// from the first's in their logarithms.
struct Cut {
  explicit Cut(double apart = 0) {
    for (size_t i = 0; i < 3; ++i) {
      SiteCells &site = sites.emplace_back(1, numSequences);
      site.at(0, 0).localError = kErrors[i];
      gains.push_back(1e-3 * std::exp(i == 0 ? 0 : apart));
      siblings.push_back(nullptr);
    }
    for (size_t i = 0; i < 3; ++i)
      siblings[i] = &sites[i];
  }
  void measure(size_t site) {
    sites[site].at(0, 0).sums = makeProportional(gains[site], kErrors[site], 1);
  }
  std::vector<SiteCells> sites;
  std::vector<double> gains;
  std::vector<const SiteCells *> siblings;
};
} // namespace

TEST(MeasurementPlanTest, ProbesAreTheLargestAndTheSmallestError) {
  Cut cut;
  MeasurementPlan plan(0.4);
  ASSERT_TRUE(plan.usesCuts());
  auto probes = plan.chooseProbes(cut.siblings);
  ASSERT_EQ(probes.size(), 2u);
  EXPECT_EQ(probes[0].site, 0u);
  EXPECT_EQ(probes[1].site, 2u);
  // Nothing is measured of a site that changes nothing.
  cut.sites[2].at(0, 0).localError = 0;
  EXPECT_EQ(plan.chooseProbes(cut.siblings)[1].site, 1u);
  EXPECT_FALSE(MeasurementPlan(0.15).usesCuts());
  EXPECT_FALSE(MeasurementPlan(0).usesCuts());
}

TEST(MeasurementPlanTest, ProbesThatDisagreePredictNothing) {
  for (bool agree : {false, true}) {
    Cut cut(agree ? 0.1 : 0.8);
    MeasurementPlan plan(0.4);
    EXPECT_FALSE(plan.predictsSiblings(cut.siblings)); // nothing is measured
    cut.measure(0);
    cut.measure(2);
    EXPECT_EQ(plan.predictsSiblings(cut.siblings), agree);
  }
}

TEST(PredictionTest, SiblingsGiveTheGain) {
  Cut cut;
  cut.measure(0);
  cut.measure(2);
  EXPECT_FALSE(predictRow(cut.sites[1], 0, kScored));
  std::optional<PredictedRow> row = predictRow(cut.sites[1], 0, kScored, cut.siblings);
  ASSERT_TRUE(row);
  EXPECT_NEAR(summarize(*row, 11).forwardKL.mean, 1e-3 * kErrors[1] / 15, 1e-15);
  // The mean of two cells predicts a third; where nothing is known, the prior holds.
  double freedom = 1, spread = priorCutError * std::sqrt(priorWeight / (priorWeight + freedom));
  // Three of four sequences have no gain of their own.
  EXPECT_NEAR(row->relativeError, std::hypot(spread * std::sqrt(1.5), priorGainError * 3 / 4),
              1e-12);
  // A site of which something was measured is predicted from that.
  EXPECT_LT(predictRow(cut.sites[0], 0, kScored, cut.siblings)->relativeError, row->relativeError);
}

TEST(PredictionTest, AllCutsTellHowMuchGainsDiffer) {
  Cut near, far(0.5);
  for (Cut *cut : {&near, &far}) {
    cut->measure(0);
    cut->measure(2);
  }
  EXPECT_LT(estimateCutError({near.siblings, near.siblings}), estimateCutError({near.siblings}));
  EXPECT_GT(estimateCutError({far.siblings, far.siblings}), priorCutError);
  EXPECT_LT(predictRow(near.sites[1], 0, kScored, near.siblings, 0.1)->relativeError,
            predictRow(near.sites[1], 0, kScored, near.siblings, 0.3)->relativeError);
}

TEST(PredictionTest, TablesKeepCuts) {
  SensitivityTable plain = makeEmptyTable();
  std::vector<SiteInfo> sites(plain.getSites());
  ASSERT_GE(sites.size(), 2u);
  for (SiteInfo &site : sites)
    site.cut = 3;
  SensitivityTable table(plain.getIdentity(), plain.getModelSize(), sites);
  for (const SensitivityRow &row : plain.getRows())
    llvm::cantFail(table.addCandidate(row.candidate, row.bytes));
  for (int64_t k = 0; k < 4; ++k)
    llvm::cantFail(table.addRecord({k, {noiseFloorSite.str(), bfloatChange.str()}, makeSums(k)}));
  std::vector<SensitivityRow> rows = table.getRows();
  for (auto [i, row] : llvm::enumerate(rows))
    llvm::cantFail(table.addRecord({0, row.candidate, std::nullopt, 1.0 + i}));
  llvm::cantFail(table.addRecord({0, rows[0].candidate, makeSums(7)}));
  rows = table.getRows();
  EXPECT_NE(rows.front().candidate.site, rows.back().candidate.site);
  EXPECT_TRUE(rows.back().isPredicted);
  EXPECT_GT(rows.back().estimate.forwardKL.mean, 0);
  auto read = SensitivityTable::fromJSON(table.toJSON(), "table");
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->toJSON(), table.toJSON());
  EXPECT_EQ(read->getSites().front().cut, 3);
}

TEST(PredictionTest, TablesKeepAndCheckPredictions) {
  SensitivityTable table = makeEmptyTable();
  for (int64_t k = 0; k < 4; ++k) {
    llvm::cantFail(table.addRecord({k, {noiseFloorSite.str(), bfloatChange.str()}, makeSums(k)}));
    llvm::cantFail(table.addRecord({k, {"head:weight", "i4"}, makeSums(10 + k)}));
    llvm::cantFail(table.addRecord({k, {"head:weight", "i4"}, std::nullopt, 4.0 + k}));
  }
  llvm::cantFail(table.addRecord({0, {"head:weight", "i8"}, std::nullopt, 0.5}));
  std::vector<SensitivityRow> rows = table.getRows();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_FALSE(rows[2].isPredicted);
  EXPECT_TRUE(rows[3].isPredicted);
  EXPECT_NEAR(rows[3].estimate.forwardKL.mean, rows[2].estimate.forwardKL.mean / 8, 1e-12);

  llvm::json::Value document = table.toJSON();
  auto read = SensitivityTable::fromJSON(document, "table");
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->toJSON(), document);

  // A file that claims more sequences than it has records of is read in the memory of these.
  llvm::json::Value claims = document;
  (*claims.getAsObject()->getObject("run"))["numSequences"] = int64_t(1) << 50;
  EXPECT_NE(llvm::toString(SensitivityTable::fromJSON(claims, "table").takeError()), "");

  llvm::json::Object &row = *(*document.getAsObject()->getArray("rows"))[3].getAsObject();
  EXPECT_EQ(row.getString("method"), llvm::StringRef("predicted"));
  row["method"] = "measured";
  auto edited = SensitivityTable::fromJSON(document, "table");
  EXPECT_EQ(llvm::toString(edited.takeError()), "table: row 3: the row is not measured");
}
