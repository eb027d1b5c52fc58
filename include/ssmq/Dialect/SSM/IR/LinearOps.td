//===- LinearOps.td - Linear and embedding --------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_LINEAROPS
#define SSMQ_DIALECT_SSM_LINEAROPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

def SSM_LinearOp : SSM_WeightOp<"linear", [SSM_TokenWise]> {
  let summary = "y = x W^T + b, as torch.nn.Linear";
  let description = [{
    `input` is T x I, `weight` O x I, `bias` O; the result is T x O in f32. A quantized weight comes
    with `scales` (O x groups) and, if asymmetric, `zero_points`; `group_size` columns share one
    scale and the last group may be shorter. After `--ssmq-pack` the codes are rows of bytes and
    `packed_bits` says how wide a code is. After `--ssmq-tile-weights` they are tiles of `tile_rows`
    (16) rows: tiles x bytes, scales and zero points tiles x groups x 16 (docs/Rewrite.md); `rows`
    is O where the last tile is not full.

    ```mlir
    %y = ssm.linear %x, %w bias %b {path = "layers.0.mixer.in_proj"}
      : (tensor<?x256xf32>, tensor<1160x256xf16>, tensor<1160xf16>) -> tensor<?x1160xf32>
    %z = ssm.linear %x, %q scales %s {group_size = 64 : i64}
      : (tensor<?x256xf32>, tensor<512x256x!quant.any<i4:f32>>, tensor<512x4xf16>) -> tensor<?x512xf32>
    %t = ssm.linear %x, %tiles scales %u {group_size = 64 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
      : (tensor<?x256xf32>, tensor<32x2048xi8>, tensor<32x4x16xf16>) -> tensor<?x512xf32>
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Weight:$weight,
                       Optional<SSM_TileableScales>:$scales,
                       Optional<SSM_TileableZeroPoints>:$zero_points,
                       Optional<SSM_FloatWeight>:$bias,
                       OptionalAttr<I64Attr>:$group_size, OptionalAttr<I64Attr>:$packed_bits,
                       OptionalAttr<I64Attr>:$tile_rows, OptionalAttr<I64Attr>:$rows,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`scales` $scales^)? (`zero_points` $zero_points^)? (`bias` $bias^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def SSM_EmbeddingOp : SSM_WeightOp<"embedding", [SSM_TokenWise]> {
  let summary = "rows of a table by token id";
  let description = [{
    `ids` is T, `weight` V x D; the result is T x D in f32. An id outside [0, V) is an error when
    the program runs. Quantized tables as for `ssm.linear`; `columns` is D where packed rows or
    tiles do not tell.

    ```mlir
    %e = ssm.embedding %ids, %w : (tensor<?xi32>, tensor<2048x256xf16>) -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins SSM_Ids:$ids, SSM_Weight:$weight,
                       Optional<SSM_TileableScales>:$scales,
                       Optional<SSM_TileableZeroPoints>:$zero_points,
                       OptionalAttr<I64Attr>:$group_size, OptionalAttr<I64Attr>:$packed_bits,
                       OptionalAttr<I64Attr>:$tile_rows, OptionalAttr<I64Attr>:$rows,
                       OptionalAttr<I64Attr>:$columns,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = [{
    $ids `,` $weight (`scales` $scales^)? (`zero_points` $zero_points^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def SSM_IntegerLinearOp : SSM_BaseOp<"integer_linear", [AttrSizedOperandSegments]> {
  let summary = "y = x W^T + b by integer products";
  let description = [{
    `codes`, `scales` and `sums` are those of `ssm.quantize`, the weight is one of `ssm.linear` with
    `tile_rows`. Products of codes are summed in i32 over a group of the weight and then scaled and
    summed in f32. `columns` are those of a row of the weight before padding; `scale_columns` share
    a scale of the activations.

    ```mlir
    %y = ssm.integer_linear %codes, %scales, %sums, %tiles scales %u
      {columns = 256 : i64, group_size = 64 : i64, packed_bits = 4 : i64, scale_columns = 256 : i64}
      : (tensor<?x256xi8>, tensor<?x1xf32>, tensor<?x4xi32>, tensor<32x2048xi8>, tensor<32x4x16xf16>)
      -> tensor<?x512xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[I8]>:$codes, 2DTensorOf<[F32]>:$scales,
                       2DTensorOf<[I32]>:$sums, 2DTensorOf<[I8]>:$weight,
                       3DTensorOf<[F32, F16]>:$weight_scales,
                       Optional<3DTensorOf<[I8]>>:$zero_points, Optional<SSM_FloatWeight>:$bias,
                       I64Attr:$columns, I64Attr:$scale_columns, I64Attr:$group_size,
                       I64Attr:$packed_bits, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result);
  let assemblyFormat = [{
    $codes `,` $scales `,` $sums `,` $weight `scales` $weight_scales
    (`zero_points` $zero_points^)? (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // SSMQ_DIALECT_SSM_LINEAROPS
