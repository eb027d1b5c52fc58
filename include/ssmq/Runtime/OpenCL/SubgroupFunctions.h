//===- SubgroupFunctions.h - Matrix functions of sub-groups -----*- C++ -*-===//
//
// Kernels import the functions of two extensions, with sub-groups of 16:
// cl_intel_subgroup_matrix_multiply_accumulate (dpas) and cl_intel_subgroup_2d_block_io. MLIR's
// XeVM lowering spells some of them otherwise than the extensions do: `s8` for `i8`, signed types
// of unsigned matrices, bytes where a block of 8-bit elements travels in shorts. A module is
// renamed to the extensions' spelling before a driver sees it, and a device without an extension
// gets OpenCL C that defines what a module imports.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_OPENCL_SUBGROUPFUNCTIONS_H
#define SSMQ_RUNTIME_OPENCL_SUBGROUPFUNCTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

enum class SubgroupExtension { None, MatrixMultiply, BlockIO };

/// The extension that the function of this mangled name belongs to.
SubgroupExtension getSubgroupExtension(llvm::StringRef mangledName);

/// The mangled name that the extension gives the function; other names are returned as they are.
std::string getExtensionSpelling(llvm::StringRef mangledName);

/// OpenCL C that defines the functions, which are of the extensions and in their spelling. Fails
/// on a shape or a type that Xe2 does not have.
llvm::Expected<std::string> makeSubgroupEmulation(llvm::ArrayRef<std::string> mangledNames);

} // namespace ssmq

#endif // SSMQ_RUNTIME_OPENCL_SUBGROUPFUNCTIONS_H
