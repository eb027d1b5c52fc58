//===- SSMModels.cpp - Evaluation of the ssm ops --------------------------===//
//
// Each model hands the values of its op, by name, to one kernel of lib/Kernels. Shapes were checked
// by the verifier; only what depends on data can fail here.
//
//===----------------------------------------------------------------------===//

#include "LinearNear.h"
#include "Models.h"
#include "StateRounding.h"
#include "StateValue.h"
#include "mlir/IR/DialectRegistry.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Kernels/Attention.h"
#include "ssmq/Kernels/Conv.h"
#include "ssmq/Kernels/DiagonalScan.h"
#include "ssmq/Kernels/Embedding.h"
#include "ssmq/Kernels/IntegerDiagonalScan.h"
#include "ssmq/Kernels/Linear.h"
#include "ssmq/Kernels/Norm.h"
#include "ssmq/Kernels/Rotary.h"
#include "ssmq/Kernels/SSDScan.h"
#include "ssmq/Kernels/SelectiveScan.h"
#include "ssmq/Reference/WeightValue.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

namespace {
/// Evaluates `OpTy` from its values by name: Derived::compute(op, values, operands, context).
template <typename Derived, typename OpTy>
struct SSMModel : EvaluableOpInterface::ExternalModel<Derived, OpTy> {
  using Values = typename OpTy::template GenericAdaptor<ArrayRef<Tensor>>;

  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    auto typed = cast<OpTy>(op);
    return Derived::compute(typed, Values(operands, typed), operands, context);
  }

  template <typename T>
  static Results fail(OpTy op, llvm::Expected<T> failed) {
    op->emitOpError() << llvm::toString(failed.takeError());
    return failure();
  }

  /// The weight in f32; the interpreter may have put it in place of the codes already.
  static Tensor getWeight(OpTy op, const Tensor &weight, ArrayRef<Tensor> operands) {
    return weight.getDType() == ::ssmq::DType::I8 ? dequantizeWeight(op, operands) : weight.toF32();
  }
};
} // namespace

static Tensor toF32(const Tensor &tensor) { return tensor ? tensor.toF32() : tensor; }

/// The value of a rank-0 i32 position.
static int64_t getPosition(const Tensor &position) { return position.data<int32_t>().front(); }

namespace {
struct LinearModel : SSMModel<LinearModel, LinearOp> {
  static Results compute(LinearOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    Tensor weight = getWeight(op, values.getWeight(), operands);
    return SmallVector<Tensor>{
        ::ssmq::linear(values.getInput(), weight, toF32(values.getBias()), context.kernels)};
  }

  std::shared_ptr<const PreparedOperands> prepare(Operation *op, ArrayRef<Tensor> constants) const {
    Values values(constants, cast<LinearOp>(op));
    return values.getInput() ? nullptr : prepareLinear(values.getWeight());
  }

  Results evaluateNear(Operation *op, ArrayRef<Tensor> operands, const KnownEvaluation &known,
                       const EvaluationContext &context) const {
    auto linear = cast<LinearOp>(op);
    Values values(operands, linear), before(known.operands, linear);
    LinearChange change = {before.getInput(), before.getWeight(), known.results.front()};
    bool sameBias = !linear.getBias() || isSame(values.getBias(), before.getBias());
    if (known.prepared && sameBias)
      if (Tensor result = linearNear(values.getInput(), values.getWeight(), change, *known.prepared,
                                     context.kernels))
        return SmallVector<Tensor>{result};
    return evaluate(op, operands, context);
  }
};

struct EmbeddingModel : SSMModel<EmbeddingModel, EmbeddingOp> {
  static Results compute(EmbeddingOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    llvm::Expected<Tensor> result =
        ::ssmq::embedding(values.getIds(), getWeight(op, values.getWeight(), operands));
    if (!result)
      return fail(op, std::move(result));
    return SmallVector<Tensor>{*result};
  }
};

struct CausalConv1dModel : SSMModel<CausalConv1dModel, CausalConv1dOp> {
  static Results compute(CausalConv1dOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    // A row is stored once, by its own token, whether its tensor is of the format or not.
    StateRounding rounding(op, op.getStateRangesAttr(), context.stateHook);
    FailureOr<Tensor> state = loadState(op, values.getState(), Tensor());
    if (failed(state))
      return failure();
    ::ssmq::ConvResult result =
        ::ssmq::causalConv1d(values.getInput(), getWeight(op, values.getWeight(), operands),
                             toF32(values.getBias()), *state, context.kernels, rounding.getHook());
    if (failed(rounding.takeFault()))
      return failure();
    return storeState(op, result.y, result.state, values.getState());
  }
};

struct RMSNormModel : SSMModel<RMSNormModel, RMSNormOp> {
  static Results compute(RMSNormOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    return SmallVector<Tensor>{::ssmq::rmsNorm(values.getInput(), values.getWeight().toF32(),
                                               op.getEps().convertToFloat(), op.getGroups(),
                                               context.kernels)};
  }
};

struct LayerNormModel : SSMModel<LayerNormModel, LayerNormOp> {
  static Results compute(LayerNormOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    return SmallVector<Tensor>{::ssmq::layerNorm(values.getInput(), values.getWeight().toF32(),
                                                 toF32(values.getBias()),
                                                 op.getEps().convertToFloat(), context.kernels)};
  }
};
} // namespace

/// Scans from the state as it is stored, and stores the next one; `run` takes the state in f32 and
/// a hook that rounds it.
template <typename OpTy, typename Values, typename Run>
static Results runScan(OpTy op, Values values, const EvaluationContext &context, Run run) {
  FailureOr<Tensor> state = loadState(op, values.getState(), values.getStateScales());
  if (failed(state))
    return failure();
  // Only S4D's scan rounds a state that is stored in its format before it stores it.
  bool eachToken = std::is_same_v<OpTy, DiagonalScanOp> || !isStored(values.getState());
  StateRounding rounding(op, op.getStateRangesAttr(), context.stateHook, eachToken);
  auto result = run(*state, rounding.getHook());
  if (failed(rounding.takeFault()))
    return failure();
  return storeState(op, result.y, result.state, values.getState());
}

namespace {
struct SelectiveScanModel : SSMModel<SelectiveScanModel, SelectiveScanOp> {
  static Results compute(SelectiveScanOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    return runScan(op, values, context, [&](const Tensor &state, ::ssmq::StateHook hook) {
      return ::ssmq::selectiveScan(values.getInput(), values.getDt(), values.getA().toF32(),
                                   values.getB(), values.getC(), toF32(values.getD()), state,
                                   context.kernels, hook);
    });
  }
};

struct SSDScanModel : SSMModel<SSDScanModel, SSDScanOp> {
  static Results compute(SSDScanOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    int64_t groups = values.getB().getDim(1) / values.getState().getDim(2);
    return runScan(op, values, context, [&](const Tensor &state, ::ssmq::StateHook hook) {
      return ::ssmq::ssdScan(values.getInput(), values.getDt(), values.getA().toF32(),
                             values.getB(), values.getC(), toF32(values.getD()), state, groups,
                             context.kernels, hook);
    });
  }
};

struct DiagonalScanModel : SSMModel<DiagonalScanModel, DiagonalScanOp> {
  static Results compute(DiagonalScanOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    return runScan(op, values, context, [&](const Tensor &state, ::ssmq::StateHook hook) {
      return ::ssmq::diagonalScan(values.getInput(), values.getA().toF32(), values.getB().toF32(),
                                  values.getC().toF32(), toF32(values.getD()), state,
                                  context.kernels, hook);
    });
  }
};

struct IntegerDiagonalScanModel : SSMModel<IntegerDiagonalScanModel, IntegerDiagonalScanOp> {
  static_assert(IntegerDiagonalScanOp::kConstants == ::ssmq::IntegerScanConstants::kCount);

  static Results compute(IntegerDiagonalScanOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    ::ssmq::DiagonalScanResult result = ::ssmq::integerDiagonalScan(
        {values.getCodes(), values.getScales(), values.getA(), values.getB(), values.getC(),
         values.getConstants(), values.getOutputScales(), values.getD().toF32(), values.getState(),
         static_cast<unsigned>(op.getABits()), static_cast<unsigned>(op.getBBits()),
         static_cast<unsigned>(op.getCBits())},
        context.kernels.threads);
    return SmallVector<Tensor>{result.y, result.state};
  }
};

struct AttentionModel : SSMModel<AttentionModel, AttentionOp> {
  static Results compute(AttentionOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    ::ssmq::AttentionParams params;
    params.position = getPosition(values.getPosition());
    params.headDim = op.getHeadDim();
    params.scale = op.getScale().convertToFloat();
    params.window = op.getWindow();
    llvm::Expected<::ssmq::AttentionResult> result =
        ::ssmq::attention(values.getQuery(), values.getKey(), values.getValue(),
                          values.getKeyCache(), values.getValueCache(), params, context.kernels);
    if (!result)
      return fail(op, std::move(result));
    return SmallVector<Tensor>{result->out, result->keyCache, result->valueCache};
  }
};

struct RotaryModel : SSMModel<RotaryModel, RotaryOp> {
  static Results compute(RotaryOp op, Values values, ArrayRef<Tensor> operands,
                         const EvaluationContext &context) {
    return SmallVector<Tensor>{::ssmq::rotary(values.getInput(), getPosition(values.getPosition()),
                                              op.getHeadDim(), op.getTheta().convertToFloat(),
                                              op.getRotaryDim(), context.kernels)};
  }
};
} // namespace

void mlir::ssm::attachSSMModels(MLIRContext *context) {
  attachFormatModels(context);
  LinearOp::attachInterface<LinearModel>(*context);
  EmbeddingOp::attachInterface<EmbeddingModel>(*context);
  CausalConv1dOp::attachInterface<CausalConv1dModel>(*context);
  RMSNormOp::attachInterface<RMSNormModel>(*context);
  LayerNormOp::attachInterface<LayerNormModel>(*context);
  SelectiveScanOp::attachInterface<SelectiveScanModel>(*context);
  SSDScanOp::attachInterface<SSDScanModel>(*context);
  DiagonalScanOp::attachInterface<DiagonalScanModel>(*context);
  IntegerDiagonalScanOp::attachInterface<IntegerDiagonalScanModel>(*context);
  AttentionOp::attachInterface<AttentionModel>(*context);
  RotaryOp::attachInterface<RotaryModel>(*context);
}
