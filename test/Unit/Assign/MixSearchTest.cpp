//===- MixSearchTest.cpp - Searches on a model that is known --------------===//

#include "ssmq/Assign/MixSearch.h"

#include "../Support/TempFolder.h"
#include "ssmq/Assign/Optimal.h"
#include "ssmq/Measure/DivergenceSummary.h"
#include "ssmq/Support/Json.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace ssmq;
using namespace ssmq::test;

namespace {

/// A model whose KL is the squared length of a sum of one error a site; the formats of a site have
/// errors of one direction. Each sequence stretches the whole by a factor of its own.
class KnownModel {
public:
  KnownModel(unsigned seed, size_t sites) : random(seed) {
    std::normal_distribution<double> normal;
    problem.size = {static_cast<int64_t>(sites) * 100, 0};
    for (size_t s = 0; s < sites; ++s) {
      SiteChoices site{"site" + std::to_string(s), {}};
      std::vector<double> direction(dims);
      for (double &x : direction)
        x = normal(random);
      std::vector<std::vector<double>> errorsHere;
      for (int bits : {2, 3, 4, 8}) {
        std::vector<double> error = direction;
        for (double &x : error)
          x *= std::exp2(-bits);
        errorsHere.push_back(error);
        site.choices.push_back({"int" + std::to_string(bits), bits * 100 / 8, getKL(error)});
      }
      errorsHere.emplace_back(dims);
      site.choices.push_back({keepFormat.str(), 200, 0});
      errors.push_back(errorsHere);
      problem.sites.push_back(site);
    }
    for (size_t k = 0; k < sequences; ++k)
      stretch.push_back(1 + 0.2 * std::abs(normal(random)));
  }

  double getKL(const MixChoices &choices) const {
    std::vector<double> sum(dims);
    for (size_t s = 0; s < choices.size(); ++s)
      for (size_t d = 0; d < dims; ++d)
        sum[d] += errors[s][choices[s]][d];
    return getKL(sum);
  }

  std::vector<DivergenceSums> measure(const MixChoices &choices) const {
    std::vector<DivergenceSums> sums(sequences);
    for (size_t k = 0; k < sequences; ++k) {
      sums[k].numScored = 10;
      sums[k].forwardKL = 10 * stretch[k] * getKL(choices);
    }
    return sums;
  }

  Assignment search(int64_t budget, MixSearchOptions options) {
    auto measureAll = [&](llvm::ArrayRef<MixChoices> mixes) -> llvm::Expected<MixOracle::Sums> {
      MixOracle::Sums sums;
      for (const MixChoices &one : mixes)
        sums.push_back(measure(one));
      return sums;
    };
    auto measureChanges = [&](const MixChoices &base,
                              llvm::ArrayRef<std::vector<MixChange>> changes) {
      std::vector<MixChoices> mixes;
      for (const auto &change : changes) {
        MixChoices mix = base;
        for (const MixChange &one : change)
          mix[one.site] = one.choice.value_or(4);
        mixes.push_back(mix);
      }
      numChanges += changes.size();
      return measureAll(mixes);
    };
    auto solve = [&](const AssignmentProblem &given) -> llvm::Expected<MixChoices> {
      llvm::Expected<Assignment> found = assignOptimal(given, {budget});
      if (!found)
        return found.takeError();
      return getChoices(*found, given);
    };
    std::vector<NamedMix> uniform;
    for (size_t f = 0; f < 4; ++f)
      if (getBytes(MixChoices(errors.size(), f)) <= budget)
        uniform.push_back({problem.sites[0].choices[f].format, MixChoices(errors.size(), f)});
    return llvm::cantFail(
        searchMix(problem, uniform, {measureAll, measureChanges, solve}, options, "optimal"));
  }

  static MixChoices getChoices(const Assignment &assignment, const AssignmentProblem &problem) {
    MixChoices choices;
    for (size_t s = 0; s < problem.sites.size(); ++s) {
      const std::vector<Choice> &all = problem.sites[s].choices;
      auto isChosen = [&](auto &one) { return one.format == assignment.sites[s].format; };
      choices.push_back(llvm::find_if(all, isChosen) - all.begin());
    }
    return choices;
  }
  int64_t getBytes(const MixChoices &choices) const {
    int64_t bytes = 0;
    for (size_t s = 0; s < choices.size(); ++s)
      bytes += problem.sites[s].choices[choices[s]].bytes;
    return bytes;
  }

  AssignmentProblem problem;
  size_t numChanges = 0;

private:
  static double getKL(const std::vector<double> &error) {
    double sum = 0;
    for (double x : error)
      sum += x * x;
    return sum;
  }

  static constexpr size_t dims = 6, sequences = 5;
  std::mt19937 random;
  std::vector<double> stretch;
  std::vector<std::vector<std::vector<double>>> errors;
};

TEST(MixModelTest, ExactWhereErrorsPointTheSameWay) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    KnownModel known(seed, 5);
    std::mt19937 random(seed);
    MixChoices base(5);
    for (size_t &choice : base)
      choice = random() % 2;
    auto getKL = [&](std::vector<std::pair<size_t, size_t>> changes) {
      MixChoices mix = base;
      for (auto [site, choice] : changes)
        mix[site] = choice;
      return known.getKL(mix);
    };
    Marginals marginals{base, known.getKL(base)};
    for (size_t s = 0; s < 5; ++s) {
      marginals.restored[s] = getKL({{s, 4}});
      for (size_t t = s + 1; t < 5; ++t)
        marginals.bothRestored[{s, t}] = getKL({{s, 4}, {t, 4}});
    }
    marginals.changed[{2, 3}] = getKL({{2, 3}});
    MixModel model(known.problem, marginals);
    for (int i = 0; i < 100; ++i) {
      MixChoices mix(5);
      for (size_t &choice : mix)
        choice = random() % 5;
      EXPECT_NEAR(model.predict(mix), known.getKL(mix), 1e-12) << seed;
    }
    // Linear problems have the differences of single changes, and no negative cost.
    AssignmentProblem linear = model.linearize();
    for (size_t s = 0; s < 5; ++s)
      for (size_t f = 0; f < 5; ++f) {
        const auto &choices = linear.sites[s].choices;
        EXPECT_GE(choices[f].cost, 0);
        EXPECT_NEAR(choices[f].cost - choices[base[s]].cost, getKL({{s, f}}) - known.getKL(base),
                    1e-12);
      }
  }
}

TEST(MixSearchTest, GainsAndNeverLosesToUniform) {
  int gained = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    KnownModel known(seed, 8);
    for (int64_t budget : {220, 300, 350, 420, 800}) {
      Assignment plain = known.search(budget, {0});
      EXPECT_EQ(known.numChanges, 0u);
      Assignment result = known.search(budget, {3});
      known.numChanges = 0;
      EXPECT_LE(result.report.totalBytes, budget);
      double mean =
          combineKL({{1, known.measure(KnownModel::getChoices(result, known.problem))}}).mean;
      EXPECT_EQ(result.report.measuredKL, mean);
      EXPECT_GT(result.report.measuredKLError, 0);
      EXPECT_LE(mean, plain.report.measuredKL);
      gained += mean < 0.95 * plain.report.measuredKL;
      for (const MixTrial &trial : result.report.trials) {
        EXPECT_LE(trial.totalBytes, budget);
        EXPECT_NEAR(trial.moreThanChosen.mean, trial.measuredKL.mean - mean, 1e-12);
        if (llvm::StringRef(trial.name).starts_with("uniform")) {
          EXPECT_GE(trial.moreThanChosen.mean, 0) << seed;
        }
      }
    }
  }
  EXPECT_GT(gained, 60);
}

TEST(MixSearchTest, FallsBackToUniformAndSaysSo) {
  KnownModel known(1, 8);
  // The table takes int2 for the best of all at half of the sites, and int8 for the worst.
  for (size_t s = 0; s < 8; s += 2)
    std::swap(known.problem.sites[s].choices[0].cost, known.problem.sites[s].choices[3].cost);
  Assignment fallen = known.search(400, {0});
  for (const SiteFormat &one : fallen.sites)
    EXPECT_EQ(one.format, "int4");
  expectMessage(fallen.method, "uniform int4 (the mix measured worse: KL ");
  EXPECT_EQ(fallen.report.note, fallen.method);
  EXPECT_EQ(fallen.report.trials.front().name, "table");
  EXPECT_GT(fallen.report.trials.front().moreThanChosen.mean, 0);
  // Marginals tell the truth, and a mix is better again.
  Assignment found = known.search(400, {3});
  EXPECT_LT(found.report.measuredKL, fallen.report.measuredKL);
  EXPECT_EQ(found.report.note, "");
  expectMessage(found.method, "optimal, solved again (");
}

TEST(MixSearchTest, ReportsAreWritten) {
  TempFolder folder;
  KnownModel known(3, 4);
  std::string path = folder / "a.json";
  ASSERT_FALSE(llvm::errorToBool(known.search(200, {1}).write(path)));
  auto value = llvm::cantFail(readJsonFile(path));
  const llvm::json::Object &report = *value.getAsObject()->getObject("report");
  EXPECT_TRUE(report.getNumber("measuredKL") && report.getNumber("measuredKLError"));
  EXPECT_GE(report.getArray("trials")->size(), 3u);
  EXPECT_EQ(llvm::cantFail(Assignment::read(path)).sites.size(), 4u);
}

} // namespace
