//===- EvaluableOpInterface.td - Ops with values on the host --*- tablegen -*-===//

#ifndef SSMQ_INTERFACES_EVALUABLEOPINTERFACE
#define SSMQ_INTERFACES_EVALUABLEOPINTERFACE

include "mlir/IR/OpBase.td"

def EvaluableOpInterface : OpInterface<"EvaluableOpInterface"> {
  let description = [{
    An op that the reference interpreter can evaluate on host tensors. Our own ops and the upstream
    ops that programs are made of (arith, math, tensor, ml_program) get it through external models
    in `lib/Reference`, so any compiler can attach a model of its own to its ops.
  }];
  let cppNamespace = "::mlir::ssm";
  let methods = [
    InterfaceMethod<
      /*desc=*/[{
        Computes the results from the operands, in their order, and behind them those of
        getCapturedValues. A host tensor may hold f32 where
        the IR says f16 or bf16 (widening is exact). Emits an error at the op and fails when the
        data do not permit a result (a token id past the vocabulary, a full cache).
      }],
      /*retTy=*/"::llvm::FailureOr<::llvm::SmallVector<::ssmq::Tensor>>",
      /*methodName=*/"evaluate",
      /*args=*/(ins "::llvm::ArrayRef<::ssmq::Tensor>":$operands,
                    "const ::mlir::ssm::EvaluationContext &":$context)>,
    InterfaceMethod<
      /*desc=*/[{
        What `evaluateNear` can use; `constants` are the operands, null where they are not constant.
      }],
      /*retTy=*/"::std::shared_ptr<const ::mlir::ssm::PreparedOperands>",
      /*methodName=*/"prepare",
      /*args=*/(ins "::llvm::ArrayRef<::ssmq::Tensor>":$constants),
      /*methodBody=*/[{}], /*defaultImplementation=*/[{ return nullptr; }]>,
    InterfaceMethod<
      /*desc=*/[{
        As `evaluate`, given the results for operands that differ little. The change of a result
        need be right to about 1e-3 of its energy only. An operand that shares its bytes with the
        known one has not changed.
      }],
      /*retTy=*/"::llvm::FailureOr<::llvm::SmallVector<::ssmq::Tensor>>",
      /*methodName=*/"evaluateNear",
      /*args=*/(ins "::llvm::ArrayRef<::ssmq::Tensor>":$operands,
                    "const ::mlir::ssm::KnownEvaluation &":$known,
                    "const ::mlir::ssm::EvaluationContext &":$context),
      /*methodBody=*/[{}],
      /*defaultImplementation=*/[{
        return ::llvm::cast<EvaluableOpInterface>($_op.getOperation()).evaluate(operands, context);
      }]>,
  ];
}

#endif // SSMQ_INTERFACES_EVALUABLEOPINTERFACE
