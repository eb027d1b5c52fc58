//===- QuantizableOpInterface.cpp -----------------------------------------------===//

#include "ssmq/Interfaces/QuantizableOpInterface.h"

#include "ssmq/Interfaces/QuantizableOpInterface.cpp.inc"
