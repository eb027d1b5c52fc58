//===- KernelWalk.h - Follows the code of one work-group --------*- C++ -*-===//

#ifndef SSMQ_LIB_TARGET_XE2_KERNELWALK_H
#define SSMQ_LIB_TARGET_XE2_KERNELWALK_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <array>

namespace mlir::ssm {

/// What the arguments of a kernel are asked for.
struct Traffic {
  SmallVector<int64_t> loaded, stored;
  int64_t dpas = 0, dpasMultiplyAdds = 0;
};

/// What is known of a launch beside its kernel.
struct LaunchFacts {
  int64_t tokens;
  int64_t position;
  /// Of each argument: whether it is the number of a position.
  SmallVector<bool> isPosition;
};

class KernelWalk {
public:
  /// An integer of each work-item.
  static constexpr size_t kItems = 128;
  using Lanes = std::array<int64_t, kItems>;

  KernelWalk(gpu::GPUFuncOp kernel, const LaunchFacts &facts, Traffic &traffic)
      : kernel(kernel), facts(facts), traffic(traffic) {}

  /// Adds what the work-group does.
  LogicalResult run(int64_t groupX, int64_t groupY);

private:
  LogicalResult walk(Block &block, const Lanes &times);
  LogicalResult walk(Operation &op, const Lanes &times);
  LogicalResult walkLoop(scf::ForOp loop, const Lanes &times);
  LogicalResult walkBranch(scf::IfOp branch, const Lanes &times);
  /// Whether inner loops or branches ask for values that vary from iteration to iteration.
  bool dependsOnIteration(scf::ForOp loop) const;
  std::optional<Lanes> evaluate(Operation &op) const;
  /// The number of the kernel's argument that a pointer, or an address, is made from; -1: none.
  int64_t findArgument(Value pointer) const;
  void count(SmallVectorImpl<int64_t> &counts, Value pointer, int64_t bytes, const Lanes &times);
  /// Of an op that a sub-group does together: how often its sub-groups do it.
  static int64_t countSubgroups(const Lanes &times);

  mutable gpu::GPUFuncOp kernel; // handles of ops have no const methods
  const LaunchFacts &facts;
  Traffic &traffic;
  DenseMap<Value, Lanes> known;
  int64_t groupX = 0, groupY = 0;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_TARGET_XE2_KERNELWALK_H
