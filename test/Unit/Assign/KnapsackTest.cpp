//===- KnapsackTest.cpp - The knapsack against all choices ----------------===//

#include "ssmq/Assign/Knapsack.h"

#include "gtest/gtest.h"
#include <cmath>
#include <map>
#include <random>

using namespace ssmq;

namespace {

using Groups = std::vector<std::vector<KnapsackOption>>;

/// Costs with ties, zeros and dominated options; all are multiples of 1/64, whose sums are exact.
Groups makeRandomGroups(unsigned seed) {
  std::mt19937 random(seed);
  Groups groups(1 + random() % 6);
  const int64_t scale = seed % 3 == 0 ? 1 : int64_t(1) << (random() % 40);
  for (auto &group : groups)
    for (size_t k = 0, options = 1 + random() % 5; k < options; ++k) {
      auto weight = static_cast<int64_t>(random() % 30);
      double cost =
          random() % 6 == 0 ? 0 : static_cast<double>(random() % (seed % 2 ? 8 : 512)) / 64;
      group.push_back({weight * scale + (seed % 5 ? 0 : static_cast<int64_t>(random() % 3)), cost});
    }
  return groups;
}

/// The least cost of each weight that can be reached.
std::map<int64_t, double> enumerate(const Groups &groups) {
  std::map<int64_t, double> reached = {{0, 0}};
  for (const auto &group : groups) {
    std::map<int64_t, double> next;
    for (auto [weight, cost] : reached)
      for (const KnapsackOption &option : group) {
        auto [at, isNew] = next.try_emplace(weight + option.weight, cost + option.cost);
        at->second = std::min(at->second, cost + option.cost);
      }
    reached = std::move(next);
  }
  return reached;
}

/// The Pareto front of that.
std::vector<std::pair<int64_t, double>> getFront(const Groups &groups) {
  std::vector<std::pair<int64_t, double>> front;
  for (auto [weight, cost] : enumerate(groups))
    if (front.empty() || cost < front.back().second)
      front.emplace_back(weight, cost);
  return front;
}

std::pair<int64_t, double> add(const Groups &groups, const std::vector<size_t> &options) {
  std::pair<int64_t, double> sum = {0, 0};
  EXPECT_EQ(options.size(), groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    sum.first += groups[i][options[i]].weight;
    sum.second += groups[i][options[i]].cost;
  }
  return sum;
}

TEST(KnapsackTest, FrontAgainstAllChoices) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Groups groups = makeRandomGroups(seed);
    auto expected = getFront(groups);
    auto front = Knapsack(groups).computeFront();
    ASSERT_TRUE(front) << seed;
    ASSERT_EQ(front->size(), expected.size()) << seed;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(front->getWeight(i), expected[i].first) << seed;
      EXPECT_EQ(add(groups, front->getOptions(i)), expected[i]) << seed;
      EXPECT_EQ(front->find(expected[i].first), i);
      EXPECT_EQ(front->find(expected[i].first - 1), i ? std::optional(i - 1) : std::nullopt);
    }
  }
}

TEST(KnapsackTest, CapacitiesAgainstAllChoices) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Groups groups = makeRandomGroups(seed);
    Knapsack knapsack(groups);
    auto front = getFront(groups);
    EXPECT_EQ(knapsack.getSmallestWeight(), front.front().first);
    EXPECT_FALSE(knapsack.solve(front.front().first - 1));
    for (size_t i = 0; i < front.size(); ++i) {
      int64_t upTo = i + 1 < front.size() ? front[i + 1].first - 1 : front[i].first + 7;
      for (int64_t capacity : {front[i].first, upTo}) {
        auto solution = knapsack.solve(capacity);
        ASSERT_TRUE(solution) << seed;
        EXPECT_TRUE(solution->isOptimal);
        EXPECT_EQ(solution->weight, front[i].first) << seed;
        EXPECT_EQ(add(groups, solution->options), front[i]) << seed;
        EXPECT_NEAR(solution->bound, front[i].second, 1e-12);
      }
    }
  }
}

TEST(KnapsackTest, WithoutMemoryTheBestKnownAndItsBound) {
  int optimal = 0, runs = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    Groups groups = makeRandomGroups(seed);
    EXPECT_FALSE(Knapsack(groups).computeFront(/*maxPairs=*/1));
    auto front = getFront(groups);
    for (size_t i = 0; i < front.size(); i += 3) {
      auto solution = Knapsack(groups).solve(front[i].first, /*maxPairs=*/1 + seed % 4);
      ASSERT_TRUE(solution);
      auto [weight, cost] = add(groups, solution->options);
      EXPECT_EQ(solution->weight, weight);
      EXPECT_LE(weight, front[i].first);
      EXPECT_GE(cost, front[i].second);
      EXPECT_LE(solution->bound, front[i].second + 1e-12);
      if (solution->isOptimal) {
        EXPECT_EQ(cost, front[i].second);
      }
      ++runs;
      optimal += solution->isOptimal;
    }
  }
  EXPECT_GT(runs, 500);
  EXPECT_LT(optimal, runs);
}

/// Small costs beside large ones decide still.
TEST(KnapsackTest, CostsOfAllSizes) {
  Groups groups = {{{1, 25.0}, {4, 0.0}}, {{1, 3e-7}, {2, 2e-7}, {3, 1e-7}}, {{1, 1e-9}, {2, 0}}};
  EXPECT_EQ(Knapsack(groups).solve(7)->options, (std::vector<size_t>{1, 1, 0}));
  EXPECT_EQ(Knapsack(groups).solve(8)->options, (std::vector<size_t>{1, 2, 0}));
  EXPECT_EQ(Knapsack(groups).solve(5)->options, (std::vector<size_t>{0, 2, 0}));
}

TEST(KnapsackTest, Undominated) {
  EXPECT_EQ(getUndominated({{3, 1}, {1, 2}, {3, 1}, {4, 1}, {2, 2}, {5, 0}}),
            (std::vector<size_t>{1, 0, 5}));
}

} // namespace
