//===- ForwardBuilder.h - Builds @forward from weights ----------*- C++ -*-===//
//
// What the model families share: weights by name, states, and the layers and elementwise maths of
// a program over tensor<TxCxf32>. Names of modules are relative to the module entered last, and a
// module's path becomes the location and the `path` of its ops.
//
// A weight that is missing or wrong does not stop the construction: a placeholder of the shape that
// the configuration implies stands in, and finish() fails. So families read like the model and have
// no error paths; they must only make shapes that agree with each other.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_FRONTEND_HUGGINGFACE_FORWARDBUILDER_H
#define SSMQ_LIB_FRONTEND_HUGGINGFACE_FORWARDBUILDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Import/WeightStore.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::ssm {

/// The second dimension of a T x C value.
int64_t getWidth(Value value);

class ForwardBuilder {
public:
  /// `weights` is the store of `directory` and must outlive the builder.
  ForwardBuilder(MLIRContext *context, const ::ssmq::WeightStore &weights, StringRef directory);

  /// Ops made from here on belong to the module `path`, such as "model.layers.0.mamba".
  void enter(const Twine &path);

  Value getTokens() const { return entry->getArgument(0); }
  Value getPosition() const { return entry->getArgument(1); }

  /// The tensor <module>.<name> of the checkpoint, of the given shape.
  Value weight(StringRef name, ArrayRef<int64_t> shape);
  /// The same in f32.
  Value wideWeight(StringRef name, ArrayRef<int64_t> shape);

  Value embedding(StringRef name, int64_t rows, int64_t columns);
  Value linear(StringRef name, Value input, int64_t outputs, bool bias);
  /// The output projection lm_head, which shares the table of `embedding` when they are tied and
  /// the checkpoint has no other for it. Leaves the module entered last.
  Value head(Value input, int64_t vocabSize, bool tied, StringRef embedding);
  Value rmsNorm(StringRef name, Value input, float eps, int64_t groups = 1);
  /// Has the state <module>.conv.
  Value causalConv1d(StringRef name, Value input, int64_t taps, bool bias);
  /// Have the state <module>.scan.
  Value selectiveScan(Value input, Value dt, Value a, Value b, Value c, Value d);
  Value ssdScan(Value input, Value dt, Value a, Value b, Value c, Value d, int64_t stateSize);
  /// Has the states <module>.key and <module>.value.
  Value attention(Value query, Value key, Value value, int64_t headDim, float scale);
  Value rotary(Value input, int64_t headDim, int64_t rotaryDim, float theta);

  Value add(Value lhs, Value rhs);
  Value multiply(Value lhs, Value rhs);
  /// One is left out.
  Value scale(Value input, float factor);
  Value divide(Value input, float divisor);
  /// Adds a vector to every row.
  Value addToRows(Value input, Value row);
  /// The input is the activation site <module>:<site>, when that is given.
  Value silu(Value input, StringRef site = "");
  /// input * silu(gate), where the gate is the site <module>:gate.
  Value gate(Value input, Value gate);
  Value softplus(Value input);
  /// Bounds that cut nothing off nonnegative values (0 and infinity) are left out.
  Value clampNonnegative(Value input, float low, float high);
  /// -exp(x).
  Value negatedExp(Value input);
  /// Consecutive columns.
  SmallVector<Value> split(Value input, ArrayRef<int64_t> widths);

  /// Ends the function. Fails when a weight was missing or wrong, or is not finite.
  FailureOr<OwningOpRef<ModuleOp>> finish(Value logits);

private:
  std::string pathOf(StringRef name) const;
  StringAttr pathAttr(StringRef name);
  Location locationOf(StringRef name);
  /// The type of a weight as it lies in the checkpoint; notes an error and gives f32 otherwise.
  RankedTensorType resolve(StringRef name, ArrayRef<int64_t> shape);
  void fail(const Twine &message);
  Value addState(StringRef name, ArrayRef<int64_t> shape, Type elementType);
  void setNext(Value state, Value next);
  Value splat(float value, Value like);
  Value nextPosition();
  bool hasOwnHead(StringRef embedding) const;
  LogicalResult checkWeights();

  OpBuilder builder;
  const ::ssmq::WeightStore &weights;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  Block *entry = nullptr;
  Value numTokens;
  std::string path;
  llvm::StringMap<Value> loaded;
  SmallVector<std::string> stateNames;
  SmallVector<Value> nextStates;
  std::string firstError;
  unsigned numErrors = 0;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_FRONTEND_HUGGINGFACE_FORWARDBUILDER_H
