//===- FormatOps.td - Values in formats -----------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_FORMATOPS
#define SSMQ_DIALECT_SSM_FORMATOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

class SSM_FormatOp<string mnemonic, list<Trait> traits = []> :
    Op<SSM_Dialect, mnemonic, traits # [Pure]> {
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

#endif // SSMQ_DIALECT_SSM_FORMATOPS
