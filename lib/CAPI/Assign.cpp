//===- Assign.cpp - Assignments of the C interface ------------------------===//

#include "Status.h"
#include "ssmq/Assign/Budget.h"
#include "ssmq/Assign/Greedy.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

SsmqStatus ssmqAssign(const char *table, const char *budget, const char *assignment) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({table, budget, assignment}))
      return error;
    Expected<Budget> limit = Budget::parse(budget);
    if (!limit)
      return limit.takeError();
    Expected<SensitivityTable> measured = SensitivityTable::read(table);
    if (!measured)
      return measured.takeError();
    Expected<AssignmentProblem> problem = makeProblem(*measured);
    if (!problem)
      return problem.takeError();
    Expected<Assignment> result = assignGreedy(*problem, limit->getBytes(problem->size));
    if (!result)
      return result.takeError();
    result->method = std::string("greedy ") + budget;
    return result->write(assignment);
  });
}
