//===- Milp.cpp - Several limits at once ----------------------------------===//

#include "ssmq/Assign/Optimal.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;

bool ssmq::hasMilp() { return false; }

llvm::Expected<Assignment> ssmq::assignByMilp(const AssignmentProblem &, const Limits &) {
  return makeError("several limits at once need CBC, which this build lacks; install "
                   "coinor-libcbc-dev and build again, or give one limit");
}
