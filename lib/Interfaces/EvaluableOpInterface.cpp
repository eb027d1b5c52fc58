//===- EvaluableOpInterface.cpp -----------------------------------------------===//

#include "ssmq/Interfaces/EvaluableOpInterface.h"

#include "ssmq/Interfaces/EvaluableOpInterface.cpp.inc"
