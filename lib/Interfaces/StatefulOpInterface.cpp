//===- StatefulOpInterface.cpp -----------------------------------------------===//

#include "ssmq/Interfaces/StatefulOpInterface.h"

#include "ssmq/Interfaces/StatefulOpInterface.cpp.inc"
