//===- Query.h - Asks OpenCL devices what they can do -----------*- C++ -*-===//

#ifndef SSMQ_LIB_RUNTIME_OPENCL_QUERY_H
#define SSMQ_LIB_RUNTIME_OPENCL_QUERY_H

#include "Api.h"
#include "ssmq/Runtime/OpenCL/DeviceInfo.h"

namespace ssmq {

DeviceInfo queryDevice(const OpenCLApi &api, const OpenCLDeviceId &id);

} // namespace ssmq

#endif // SSMQ_LIB_RUNTIME_OPENCL_QUERY_H
