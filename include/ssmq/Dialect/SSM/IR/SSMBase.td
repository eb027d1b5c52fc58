//===- SSMBase.td - The ssm dialect and its base classes ------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_BASE
#define SSMQ_DIALECT_SSM_BASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "ssmq/Interfaces/EvaluableOpInterface.td"
include "ssmq/Interfaces/QuantizableOpInterface.td"
include "ssmq/Interfaces/StatefulOpInterface.td"

def SSM_Dialect : Dialect {
  let name = "ssm";
  let cppNamespace = "::mlir::ssm";
  let summary = "Hybrid state-space and attention language models";
  let description = [{
    Ops at the granularity at which a person names a layer. The conventions of all of them:

    - Tokens are the leading dimension: an activation is `tensor<?xDxf32>`. There is no batch.
    - Weights have PyTorch's layout (`nn.Linear` holds out x in) and the element type of the
      checkpoint (f32, f16, bf16); arithmetic is in f32.
    - States are operands and results of the same type, zero before the first token. Feeding a
      sequence whole or in any chunks gives the same values.
    - A quantized weight has a compact upstream type (`!quant.any<i4:f32>`), and its scales and
      zero points (rows x groups) are operands beside it: value = (code - zero point) * scale.

    What upstream has (SiLU and softplus by `arith` and `math`, splits by `tensor`) is not an op here.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let extraClassDeclaration = [{
    /// Argument attribute (string) that names the state which an argument of @forward holds.
    static constexpr llvm::StringLiteral kStateAttrName = "ssm.state";
    /// Attribute of a weight global that holds the format assigned to its site.
    static constexpr llvm::StringLiteral kFormatAttrName = "ssm.format";
    /// Attribute of an op (a dictionary of #ssm.format by role of the operand, such as `input`) that
    /// holds the formats assigned to the values that it reads.
    static constexpr llvm::StringLiteral kFormatsAttrName = "ssm.formats";
    /// Attribute of an op (a dictionary of f32 arrays by role) that holds the ranges of assigned
    /// static formats, low and high of each scale, as far as they are known before calibration.
    static constexpr llvm::StringLiteral kRangesAttrName = "ssm.ranges";
    /// Attribute of an op of another dialect: an array with the name of the activation site of each
    /// operand, "" for none; operands past its end have none.
    static constexpr llvm::StringLiteral kSitesAttrName = "ssm.sites";
    /// Module attribute that names the checkpoint directory of the weights.
    static constexpr llvm::StringLiteral kCheckpointAttrName = "ssm.checkpoint";
    /// Module attribute (string) that names how codes were refined; absent where they are those of
    /// nearest rounding.
    static constexpr llvm::StringLiteral kRefinedAttrName = "ssm.refined";
    /// Unit attribute of a weight global that --ssmq-fold-parameters computed from others.
    static constexpr llvm::StringLiteral kComputedAttrName = "ssm.computed";
    void registerAttributes();
  }];
  let hasConstantMaterializer = 0;
  let hasOperationAttrVerify = 1;
}

def SSM_FormatAttr : AttrDef<SSM_Dialect, "Format"> {
  let mnemonic = "format";
  let summary = "a quantization format, in the spelling of ssmq::parseFormat";
  let description = [{
    How the values of a site are stored, for example `#ssm.format<"i4 sym group=128">` or
    `#ssm.format<"i8 sym per_channel">`. The numerics live in `lib/Formats`.
  }];
  let parameters = (ins StringRefParameter<"canonical spelling">:$spelling);
  let assemblyFormat = "`<` $spelling `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    std::shared_ptr<const ::ssmq::Format> getFormat() const;
  }];
}

// Types. Activations and states are f32; a weight also f16, bf16 or quantized.
def SSM_Activation : RankedTensorOf<[F32]>;
/// A state may be stored in its `state_format` (StoredStates.h).
def SSM_State : RankedTensorOf<[F32, F16, BF16, I8]>;
def SSM_StateScales : 2DTensorOf<[F16]>;
def SSM_Ids : 1DTensorOf<[I32]>;
def SSM_Position : 0DTensorOf<[I32]>;
def SSM_FloatWeight : RankedTensorOf<[F32, F16, BF16]>;
def SSM_Quantized : Type<CPred<"::llvm::isa<::mlir::quant::QuantizedType>($_self)">,
                         "quantized value", "::mlir::quant::QuantizedType">;
def SSM_Weight : RankedTensorOf<[F32, F16, BF16, SSM_Quantized, I8]>;
def SSM_Scales : 2DTensorOf<[F32, F16]>;
def SSM_ZeroPoints : 2DTensorOf<[I8]>;
// Rows x groups, or tiles x groups x 16.
def SSM_TileableScales : TensorRankOf<[F32, F16], [2, 3]>;
def SSM_TileableZeroPoints : TensorRankOf<[I8], [2, 3]>;

/// See ssmq/Dialect/SSM/IR/TokenWise.h.
def SSM_TokenWise : NativeOpTrait<"TokenWise"> {
  let cppNamespace = "::mlir::ssm";
}

/// Any op of the dialect: bytecode holds its properties by their names (Bytecode.h).
class SSM_BaseOp<string mnemonic, list<Trait> traits> : Op<SSM_Dialect, mnemonic, traits # [Pure]> {
  let useCustomPropertiesEncoding = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::readProperties(::mlir::DialectBytecodeReader &reader,
                                                    ::mlir::OperationState &state) {
      return ::mlir::ssm::readNamedProperties<$cppClass>(reader, state);
    }
    void $cppClass::writeProperties(::mlir::DialectBytecodeWriter &writer) {
      writer.writeOptionalAttribute(getOperation()->getPropertiesAsAttribute());
    }
  }];
}

class SSM_Op<string mnemonic, list<Trait> traits = []> :
    SSM_BaseOp<mnemonic, traits # [InferTypeOpAdaptor]> {
  let hasCustomAssemblyFormat = 0;
}

/// An op with a weight that may be quantized.
class SSM_WeightOp<string mnemonic, list<Trait> traits = [], list<string> methods = []> :
    SSM_Op<mnemonic, traits # [AttrSizedOperandSegments,
                               DeclareOpInterfaceMethods<QuantizableOpInterface,
                                   methods # ["getWeightOperand", "isWeightQuantized",
                                              "setQuantizedWeight"]>]>;

class SSM_StatefulOp<string mnemonic, list<Trait> traits = []> :
    SSM_Op<mnemonic, traits # [DeclareOpInterfaceMethods<StatefulOpInterface>,
                               DeclareOpInterfaceMethods<QuantizableOpInterface>]>;

class SSM_NormOp<string mnemonic, list<Trait> traits = []> :
    SSM_Op<mnemonic, traits # [SSM_TokenWise, DeclareOpInterfaceMethods<QuantizableOpInterface>]>;

#endif // SSMQ_DIALECT_SSM_BASE
