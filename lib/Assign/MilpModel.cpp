//===- MilpModel.cpp - A problem under limits as CBC takes it -------------===//

#include "MilpModel.h"

#include "ssmq/Assign/Relaxation.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <cmath>
#include <coin/Cbc_C_Interface.h>

using namespace ssmq;
using llvm::Expected;

static double getCost(const Choice &choice) { return std::max(0.0, choice.cost); }

/// What an activation takes beyond the largest that stays.
static int64_t getTransient(const AssignmentProblem &problem, const Choice &choice) {
  return std::max<int64_t>(0, choice.transientBytes - problem.rest.transientBytes);
}

namespace {

class MilpModel {
public:
  MilpModel(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> capacities);
  ~MilpModel() { Cbc_deleteModel(model); }
  MilpModel(const MilpModel &) = delete;
  MilpModel &operator=(const MilpModel &) = delete;

  /// The choices must differ from these.
  void forbid(llvm::ArrayRef<size_t> choices);
  Expected<std::optional<MilpSolution>> solve();

private:
  struct Column {
    size_t site, choice;
    double cost;
  };
  /// A row in the making.
  struct Row {
    std::vector<int> columns;
    std::vector<double> coefficients;
    void add(size_t column, double coefficient) {
      columns.push_back(static_cast<int>(column));
      coefficients.push_back(coefficient);
    }
  };

  void addColumn(double upper, double cost, bool isInteger);
  void addRow(const Row &row, char sense, double bound);
  void addSites();
  void addCapacity(Capacity capacity);
  /// Adds a column for the largest activation, and gives its index.
  std::optional<size_t> addLargest(double scale);
  std::vector<size_t> readChoices() const;

  const AssignmentProblem &problem;
  Cbc_Model *model;
  std::vector<Column> columns;
  int numRows = 0, numColumns = 0;
  /// What costs nothing in the model, and a cost of 1 in it.
  double leastCost = 0, costScale = 1;
};

} // namespace

MilpModel::MilpModel(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> capacities)
    : problem(problem), model(Cbc_newModel()) {
  Cbc_setLogLevel(model, 0);
  // CBC 2.10's preprocessing loses the optimum of some of our tests.
  Cbc_setParameter(model, "preprocess", "off");
  // Costs of one site may be millions of times those of another: no gap is small enough to stop at.
  Cbc_setParameter(model, "ratioGap", "0");
  Cbc_setParameter(model, "allowableGap", "0");
  Cbc_setParameter(model, "increment", "1e-12");
  Cbc_setParameter(model, "primalT", "1e-9");
  Cbc_setParameter(model, "dualT", "1e-9");
  Cbc_setParameter(model, "integerT", "1e-8");
  double largest = 0;
  for (auto [index, site] : llvm::enumerate(problem.sites)) {
    double least = std::numeric_limits<double>::infinity();
    for (const Choice &choice : site.choices)
      least = std::min(least, getCost(choice));
    leastCost += least;
    for (auto [k, choice] : llvm::enumerate(site.choices)) {
      double cost = getCost(choice) - least;
      columns.push_back({index, k, cost});
      largest = std::max(largest, cost);
    }
  }
  costScale = largest > 0 ? largest : 1;
  for (const Column &column : columns)
    addColumn(/*upper=*/1, column.cost / costScale, /*isInteger=*/true);
  addSites();
  for (Capacity capacity : capacities)
    addCapacity(capacity);
}

void MilpModel::addColumn(double upper, double cost, bool isInteger) {
  std::string name = "x" + std::to_string(numColumns++);
  Cbc_addCol(model, name.c_str(), /*lb=*/0, upper, cost, static_cast<char>(isInteger), 0, nullptr,
             nullptr);
}

void MilpModel::addRow(const Row &row, char sense, double bound) {
  std::string name = "r" + std::to_string(numRows++);
  Cbc_addRow(model, name.c_str(), static_cast<int>(row.columns.size()), row.columns.data(),
             row.coefficients.data(), sense, bound);
}

void MilpModel::addSites() {
  Row row;
  for (size_t i : llvm::seq(columns.size())) {
    row.add(i, 1);
    if (i + 1 < columns.size() && columns[i + 1].site == columns[i].site)
      continue;
    addRow(row, 'E', 1);
    row = {};
  }
}

std::optional<size_t> MilpModel::addLargest(double scale) {
  std::vector<Row> rows(problem.sites.size());
  for (auto [i, column] : llvm::enumerate(columns))
    if (int64_t bytes = getTransient(problem, problem.sites[column.site].choices[column.choice]))
      rows[column.site].add(i, static_cast<double>(bytes) / scale);
  if (llvm::all_of(rows, [](const Row &row) { return row.columns.empty(); }))
    return std::nullopt;
  const auto largest = static_cast<size_t>(numColumns);
  addColumn(/*upper=*/1e30, /*cost=*/0, /*isInteger=*/false);
  for (Row &row : rows)
    if (!row.columns.empty()) {
      row.add(largest, -1);
      addRow(row, 'L', 0);
    }
  return largest;
}

void MilpModel::addCapacity(Capacity capacity) {
  auto getUseOf = [&](const Column &column) {
    return getUse(problem.sites[column.site].choices[column.choice], capacity.resource);
  };
  std::vector<int64_t> least(problem.sites.size(), std::numeric_limits<int64_t>::max());
  for (const Column &column : columns)
    least[column.site] = std::min(least[column.site], getUseOf(column));
  int64_t rest = capacity.amount, largest = 1;
  for (int64_t bytes : least)
    rest -= bytes;
  for (const Column &column : columns)
    largest = std::max(largest, getUseOf(column) - least[column.site]);
  const auto scale = static_cast<double>(largest);
  Row row;
  for (auto [i, column] : llvm::enumerate(columns))
    if (int64_t use = getUseOf(column) - least[column.site])
      row.add(i, static_cast<double>(use) / scale);
  if (capacity.resource == Resource::Memory)
    if (std::optional<size_t> column = addLargest(scale))
      row.add(*column, 1);
  addRow(row, 'L', static_cast<double>(rest) / scale);
}

void MilpModel::forbid(llvm::ArrayRef<size_t> choices) {
  Row row;
  for (auto [i, column] : llvm::enumerate(columns))
    if (choices[column.site] == column.choice)
      row.add(i, 1);
  addRow(row, 'L', static_cast<double>(choices.size()) - 1);
}

std::vector<size_t> MilpModel::readChoices() const {
  const double *values = Cbc_getColSolution(model);
  std::vector<size_t> choices(problem.sites.size());
  std::vector<double> best(problem.sites.size(), -1);
  for (auto [i, column] : llvm::enumerate(columns))
    if (values[i] > best[column.site]) {
      best[column.site] = values[i];
      choices[column.site] = column.choice;
    }
  return choices;
}

Expected<std::optional<MilpSolution>> MilpModel::solve() {
  Cbc_solve(model);
  if (Cbc_isProvenInfeasible(model))
    return std::nullopt;
  if (!Cbc_isProvenOptimal(model) || !Cbc_getColSolution(model))
    return makeError("CBC stopped without a solution; try other limits");
  MilpSolution solution;
  solution.choices = readChoices();
  for (auto [site, choice] : llvm::zip_equal(problem.sites, solution.choices))
    solution.cost += getCost(site.choices[choice]);
  solution.bound = leastCost + Cbc_getBestPossibleObjValue(model) * costScale;
  return solution;
}

Expected<std::optional<MilpSolution>> ssmq::solveMilp(const AssignmentProblem &problem,
                                                      llvm::ArrayRef<Capacity> capacities) {
  std::vector<std::vector<size_t>> forbidden;
  constexpr size_t maxRounds = 64;
  while (forbidden.size() < maxRounds) {
    MilpModel model(problem, capacities);
    for (const std::vector<size_t> &choices : forbidden)
      model.forbid(choices);
    Expected<std::optional<MilpSolution>> solution = model.solve();
    if (!solution || !*solution || meets(problem, capacities, (*solution)->choices))
      return solution;
    forbidden.push_back((*solution)->choices);
  }
  return makeError("CBC meets the limits only to its tolerance; change one of them a little");
}
