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
  /// `weights` is the store of `directory` and must outlive the builder. The program reads tokens,
  /// or so many features a step.
  ForwardBuilder(MLIRContext *context, const ::ssmq::WeightStore &weights, StringRef directory,
                 int64_t numFeatures = 0);

  /// Ops made from here on belong to the module `path`, such as "model.layers.0.mamba".
  void enter(const Twine &path);

  /// Tokens, or features.
  Value getInputs() const { return entry->getArgument(0); }
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
  Value layerNorm(StringRef name, Value input, float eps);
  /// Has the state <module>.conv.
  Value causalConv1d(StringRef name, Value input, int64_t taps, bool bias);
  /// Have the state <module>.scan.
  Value selectiveScan(Value input, Value dt, Value a, Value b, Value c, Value d);
  Value ssdScan(Value input, Value dt, Value a, Value b, Value c, Value d, int64_t stateSize);
  /// Has the states <module>.key and <module>.value.
  /// Has the state <module>.state. a, b and c are heads x states x 2.
  Value diagonalScan(Value input, Value a, Value b, Value c, Value d);
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
  /// x min(max(0, x + 2), 1) (arXiv 2506.12480).
  Value qGelu(Value input);
  /// x / 2 (1 + erf(x / sqrt(2))).
  Value gelu(Value input);
  /// value / (1 + exp(-gate)), where the gate is the site <module>:gate.
  Value gluGate(Value value, Value gate);
  /// Bounds that cut nothing off nonnegative values (0 and infinity) are left out.
  Value clampNonnegative(Value input, float low, float high);
  /// -exp(x).
  Value negatedExp(Value input);
  /// Means over all steps so far, and the last step, 1 x C. The former has the state <module>.sum.
  Value meanOfSteps(Value input);
  Value lastStep(Value input);
  /// An f32 value whose elements `body` makes from those of the inputs at the places that the maps
  /// say.
  Value compute(ArrayRef<int64_t> shape, ValueRange inputs, ArrayRef<AffineMap> maps,
                function_ref<Value(OpBuilder &, Location, ValueRange)> body);

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
  /// x / (1 + exp(-y)), with y as the activation site <module>:<site>, when that is given.
  Value timesSigmoid(Value x, Value y, StringRef site);
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
