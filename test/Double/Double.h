//===- Double.h - An OpenCL loader that tests can break ---------*- C++ -*-===//
//
// A shared library in the place of libOpenCL.so.1, which $SSMQ_OPENCL names. $SSMQ_DOUBLE says what
// it does, in words:
//   real             forwards to libOpenCL.so.1; else it pretends a GPU that runs nothing
//   no-platform, no-device
//   without=WHAT     hides subgroups (of 16), spirv, half, usm, rounding or command-buffers
//   command-buffers  offers cl_khr_command_buffer: records launches and enqueues them again
//   command-buffers=unordered   says that they need a queue out of order
//   fail=FUNCTION:CODE[:N]      from its call N (1) on, the function fails with this code
//   count=FILE       at the end, writes how often each function was called
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_TEST_DOUBLE_DOUBLE_H
#define SSMQ_TEST_DOUBLE_DOUBLE_H

#include "Functions.h"
#include <string>

namespace ssmq {

/// What calls are forwarded to.
struct Functions : OpenCLApi, OpenCLExtensionApi, CommandBufferApi {};
Functions &getFunctions();

/// What follows `word` in $SSMQ_DOUBLE ("" where nothing does); null when the word is not there.
const std::string *findWord(const std::string &word);

/// Fill the table; the first with the functions of the real loader.
void forward(Functions &functions);
void pretend(Functions &functions);
/// Replace functions of a filled table.
void hideFeatures(Functions &functions);
void recordLaunches(Functions &functions);

} // namespace ssmq

#endif // SSMQ_TEST_DOUBLE_DOUBLE_H
