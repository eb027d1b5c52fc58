//===- FormatOps.td - Values in formats -----------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_FORMATOPS
#define SSMQ_DIALECT_SSM_FORMATOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

class SSM_FormatOp<string mnemonic, list<Trait> traits = []> : SSM_BaseOp<mnemonic, traits> {
  let hasVerifier = 1;
}

def SSM_DequantizeOp : SSM_FormatOp<"dequantize"> {
  let summary = "the values of codes of any format";
  let description = [{
    `codes` are the rows of a weight, packed: rows x bytes of a row; `scales` are scales x bytes of a
    scale, absent where the format has nothing beside its codes (see Formats/Encoding.h). A row is
    the slice of the result at one index of `channel_dim`. The format is dynamic: it takes no ranges
    from calibration. Integer weights of 2 to 8 bits per channel or group are operands of their op
    instead and need no dequantize.

    ```mlir
    %w = ssm.dequantize %codes scales %scales as <"nf4 group=64">
      : (tensor<512x128xi8>, tensor<2048x2xi8>) -> tensor<512x256xf32>
    %a = ssm.dequantize %c scales %s as <"log2<8> per_tensor">
      : (tensor<1x24xi8>, tensor<1x8xi8>) -> tensor<24xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[I8]>:$codes, Optional<2DTensorOf<[I8]>>:$scales,
                       SSM_FormatAttr:$format, DefaultValuedAttr<I64Attr, "0">:$channel_dim);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = [{
    $codes (`scales` $scales^)? `as` $format attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// The values as formats see them.
    ::ssmq::ValueLayout getLayout();
  }];
}

def SSM_FakeQuantizeOp : SSM_FormatOp<"fake_quantize", [AllTypesMatch<["input", "result"]>]> {
  let summary = "rounds an activation to what a format can hold";
  let description = [{
    The value that remains of `input` when it is stored in `format`; the last dimension are channels,
    `head_size` of which make a head (0: no heads), all others tokens. A static format has `ranges`
    from calibration: low and high for each scale, in the order of Formats/Sharing.h. `site` names
    the value in messages.

    ```mlir
    %q = ssm.fake_quantize %x as <"i8 sym per_token"> {site = "layers.0.mixer.in_proj:input"}
      : tensor<?x256xf32>
    %s = ssm.fake_quantize %x as <"i8 sym per_tensor static=99.9"> {ranges = array<f32: -2.5, 2.5>}
      : tensor<?x256xf32>
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_FormatAttr:$format,
                       DefaultValuedAttr<I64Attr, "0">:$head_size,
                       OptionalAttr<DenseF32ArrayAttr>:$ranges, OptionalAttr<StrAttr>:$site);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = "$input `as` $format attr-dict `:` type($input)";
  let extraClassDeclaration = [{
    /// The layout of a value of `tokens` tokens.
    ::ssmq::ValueLayout getLayout(int64_t tokens = 1);
  }];
}

def SSM_QuantizeOp : SSM_FormatOp<"quantize"> {
  let summary = "codes of an activation, for integer products";
  let description = [{
    The codes of `input` (T x I) in an integer format, in steps of its scale from zero, and what
    `ssm.integer_linear` needs beside them. The format is symmetric of at most 8 bits or asymmetric
    of at most 7, so that steps are bytes. It has one scale a token (per_token, static
    per_tensor) or one for each group of columns. `group_size` is that of the weights that the codes
    meet, and `block` a number of columns: each group begins on a whole block, and what its last
    block lacks is codes of 0.

    `codes` are T x padded columns; `scales` T x scales of a row; `sums` T x weight groups, the sums
    of their codes. Values and scales are those of `ssm.fake_quantize`, bit for bit; a value that is
    not finite makes the scale NaN or infinite instead of an error.

    ```mlir
    %codes, %scales, %sums = ssm.quantize %x as <"i8 sym per_token"> {block = 8 : i64, group_size = 64 : i64}
      : tensor<?x256xf32> -> tensor<?x256xi8>, tensor<?x1xf32>, tensor<?x4xi32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$input, SSM_FormatAttr:$format, I64Attr:$group_size,
                       I64Attr:$block, OptionalAttr<DenseF32ArrayAttr>:$ranges);
  let results = (outs 2DTensorOf<[I8]>:$codes, 2DTensorOf<[F32]>:$scales,
                      2DTensorOf<[I32]>:$sums);
  let assemblyFormat = [{
    $input `as` $format attr-dict `:` type($input) `->` type($codes) `,` type($scales) `,`
    type($sums)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::ssm::FormatAttr":$format,
                                 "int64_t":$groupSize, "int64_t":$block,
                                 "::mlir::DenseF32ArrayAttr":$ranges)>];
  let extraClassDeclaration = [{
    /// Whether codes of the format can stand in integer products with weights in groups of
    /// `groupSize` columns: scales change at no place within a group.
    static bool canQuantize(::mlir::ssm::FormatAttr format, int64_t columns, int64_t groupSize);
    /// Columns that share a scale.
    static int64_t getScaleColumns(::mlir::ssm::FormatAttr format, int64_t columns);
  }];
}

#endif // SSMQ_DIALECT_SSM_FORMATOPS
