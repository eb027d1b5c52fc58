//===- ScanOps.td - State-space recurrences -------------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_SCANOPS
#define SSMQ_DIALECT_SSM_SCANOPS

include "ssmq/Dialect/SSM/IR/SSMBase.td"

/// An op that rounds its state, whose next value is its second result, when `state_format` says so.
class SSM_ScanOp<string mnemonic> :
    SSM_Op<mnemonic, [AttrSizedOperandSegments, StatefulOpInterface,
                      DeclareOpInterfaceMethods<QuantizableOpInterface>]> {
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<std::pair<::mlir::OpOperand *, ::mlir::OpResult>> getStates() {
      ::llvm::SmallVector<std::pair<::mlir::OpOperand *, ::mlir::OpResult>> states = {
          {&getStateMutable(), (*this)->getResult(1)}};
      // An op that does not verify yet may lack the result.
      for (::mlir::OpOperand &scales : getStateScalesMutable())
        if ((*this)->getNumResults() > 2)
          states.push_back({&scales, (*this)->getResult(2)});
      return states;
    }
    ::mlir::Attribute getFormatOfState() { return getStateFormatAttr(); }
    ::llvm::LogicalResult setFormatOfState(::mlir::Attribute format,
                                           ::mlir::DenseF32ArrayAttr ranges) {
      setStateFormatAttr(::llvm::cast<::mlir::ssm::FormatAttr>(format));
      setStateRangesAttr(ranges);
      return ::llvm::success();
    }
  }];
}

def SSM_SelectiveScanOp : SSM_ScanOp<"selective_scan"> {
  let summary = "Mamba-1 selective scan";
  let description = [{
    The recurrence of Mamba (arXiv 2312.00752, algorithm 2) over tokens t, for each channel d and
    state index n: h[d,n] = exp(dt[t,d] a[d,n]) h[d,n] + dt[t,d] b[t,n] x[t,d], and
    y[t,d] = sum_n c[t,n] h[d,n] + d[d] x[t,d]. `input` and `dt` (after softplus) are T x D, `a`
    D x N (negative), `b` and `c` T x N, the skip `d` D, `state` D x N.

    `state_format` names the format of the state (with `state_ranges` when it is static). A state in
    f32 is rounded to it after each token, behind the token's own result. --ssmq-store-states gives
    the state the type of that format (i8 codes have `state_scales`): it is then rounded where it is
    stored, behind the last token that the op is given, and is f32 in between.

    ```mlir
    %y, %next = ssm.selective_scan %x dt %dt a %a b %b c %c d %d state %h
      : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<64x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
         tensor<64xf32>, tensor<64x16xf32>) -> (tensor<?x64xf32>, tensor<64x16xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Activation:$dt, SSM_FloatWeight:$a,
                       SSM_Activation:$b, SSM_Activation:$c, Optional<SSM_FloatWeight>:$d,
                       SSM_State:$state, Optional<SSM_StateScales>:$state_scales,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state,
                      Optional<SSM_StateScales>:$next_scales);
  let assemblyFormat = [{
    $input `dt` $dt `a` $a `b` $b `c` $c (`d` $d^)? `state` $state (`scales` $state_scales^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def SSM_SSDScanOp : SSM_ScanOp<"ssd_scan"> {
  let summary = "Mamba-2 state-space dual scan with grouped heads";
  let description = [{
    The recurrence of Mamba-2 (arXiv 2405.21060, section 7) over tokens t, for head h, its channel p
    and state index n, where g = h / (H / G) is the head's group:
    s[h,p,n] = exp(dt[t,h] a[h]) s[h,p,n] + dt[t,h] x[t,h,p] b[t,g,n], and
    y[t,h,p] = sum_n c[t,g,n] s[h,p,n] + d[h] x[t,h,p]. `input` is T x (H P), `dt` (after softplus)
    T x H, `a` (negative) and the skip `d` H, `b` and `c` T x (G N), `state` H x P x N.

    `state_format` names the format of the state (with `state_ranges` when it is static). A state in
    f32 is rounded to it after each token, behind the token's own result. --ssmq-store-states gives
    the state the type of that format (i8 codes have `state_scales`): it is then rounded where it is
    stored, behind the last token that the op is given, and is f32 in between.

    ```mlir
    %y, %next = ssm.ssd_scan %x dt %dt a %a b %b c %c d %d state %h
      : (tensor<?x512xf32>, tensor<?x8xf32>, tensor<8xf32>, tensor<?x64xf32>, tensor<?x64xf32>,
         tensor<8xf32>, tensor<8x64x64xf32>) -> (tensor<?x512xf32>, tensor<8x64x64xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_Activation:$dt, SSM_FloatWeight:$a,
                       SSM_Activation:$b, SSM_Activation:$c, Optional<SSM_FloatWeight>:$d,
                       SSM_State:$state, Optional<SSM_StateScales>:$state_scales,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges, OptionalAttr<StrAttr>:$path);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state,
                      Optional<SSM_StateScales>:$next_scales);
  let assemblyFormat = [{
    $input `dt` $dt `a` $a `b` $b `c` $c (`d` $d^)? `state` $state (`scales` $state_scales^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def SSM_DiagonalScanOp : SSM_ScanOp<"diagonal_scan"> {
  let summary = "S4D: a diagonal complex system a head";
  let description = [{
    The recurrence of S4D (arXiv 2206.11893, section 3) over tokens t, for head h with N complex
    states: s[h,n] = a[h,n] s[h,n] + b[h,n] x[t,h], and
    y[t,h] = 2 Re(sum_n c[h,n] s[h,n]) + d[h] x[t,h]. a and b are discrete (zero-order hold or
    bilinear); the factor 2 stands for the conjugates of the states, which are not kept. `input` is
    T x H, the skip `d` H; `a`, `b`, `c` and `state` are H x 2N, where a complex number is two
    neighbours, real and imaginary part.

    Format, ranges and scales of the state are as for `ssm.selective_scan`, but each token rounds it.

    `stable` states that |a| < 1 throughout, so that no state grows without bound, and the verifier
    proves it from the program alone: `a` is a constant, or an `ssm.dequantize` of constants, all of
    whose values lie inside the unit circle, or an `ssm.dequantize` from a format that holds no
    other values (`logpolar<m,p> stable`). `--ssmq-mark-stable` sets it.

    ```mlir
    %y, %next = ssm.diagonal_scan %x a %a b %b c %c d %d state %s
      : (tensor<?x16xf32>, tensor<16x64xf32>, tensor<16x64xf32>, tensor<16x64xf32>, tensor<16xf32>,
         tensor<16x64xf32>) -> (tensor<?x16xf32>, tensor<16x64xf32>)
    ```
  }];
  let arguments = (ins SSM_Activation:$input, SSM_FloatWeight:$a, SSM_FloatWeight:$b,
                       SSM_FloatWeight:$c, Optional<SSM_FloatWeight>:$d, SSM_State:$state,
                       Optional<SSM_StateScales>:$state_scales,
                       OptionalAttr<SSM_FormatAttr>:$state_format,
                       OptionalAttr<DenseF32ArrayAttr>:$state_ranges, OptionalAttr<StrAttr>:$path,
                       UnitAttr:$stable);
  let results = (outs SSM_Activation:$result, SSM_State:$next_state,
                      Optional<SSM_StateScales>:$next_scales);
  let assemblyFormat = [{
    $input `a` $a `b` $b `c` $c (`d` $d^)? `state` $state (`scales` $state_scales^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

def SSM_IntegerDiagonalScanOp : SSM_BaseOp<"integer_diagonal_scan", [
    DeclareOpInterfaceMethods<StatefulOpInterface>]> {
  let summary = "ssm.diagonal_scan in integers of 32 bits";
  let description = [{
    What `--ssmq-integer-scans` makes of an `ssm.diagonal_scan` whose input, a, b, c and state are
    integers of at most 8 bits with static scales. Within a step all numbers are i32, and no sum or
    product of a program that the pass made overflows (any other wraps).

    `codes` (T x at least H) and `scales` (T x 1) are those of `ssm.quantize`. `a`, `b` and `c` are
    codes of H x 2N in 4 or 8 bits each (`a_bits`, ...): bytes, or in 4 bits a byte a complex number
    with its real part in the low nibble. `state` is H x 2N bytes, each the steps s of the state's
    scale from zero, modulo 256; so zero bytes are a state of zero. `constants` has a row of i32 a
    head: zero points za, zb, zc; multipliers ma of a and mx of the input; shifts kx of the input,
    ks of the state and ky of the sum; least and greatest steps of the state.

    Let x >> k be floor(x / 2^k + 1/2). For each token and head, with code u of the input:

    - A[n] = ((a[n] - za) ma) >> 7, the system in units of 2^-ks;
    - X = (u mx) >> kx, the input in units of b's code and of 2^-ks steps of the state;
    - f[n] = A[n] s[n] + (b[n] - zb) X, the state before it is rounded, with complex products;
    - sum = sum_n Re((c[n] - zc) (f[n] >> ky)), exact in i32;
    - s[n] = clamp(f[n] >> ks, least, greatest), the state that is stored;
    - y = f32(sum) output_scale[h] + (f32(u) scale[t]) d[h], each operation rounded to f32.

    An infinite or NaN value of the input has made its scale so, and makes y so; the state takes a
    code within its range.

    ```mlir
    %y, %next = ssm.integer_diagonal_scan %codes, %scales a %a b %b c %c constants %n, %m d %d state %s
      {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 4 : i64}
      : (tensor<?x16xi8>, tensor<?x1xf32>, tensor<16x64xi8>, tensor<16x32xi8>, tensor<16x32xi8>,
         tensor<16x10xi32>, tensor<16xf32>, tensor<16xf32>, tensor<16x64xi8>)
      -> (tensor<?x16xf32>, tensor<16x64xi8>)
    ```
  }];
  let arguments = (ins 2DTensorOf<[I8]>:$codes, 2DTensorOf<[F32]>:$scales, 2DTensorOf<[I8]>:$a,
                       2DTensorOf<[I8]>:$b, 2DTensorOf<[I8]>:$c, 2DTensorOf<[I32]>:$constants,
                       1DTensorOf<[F32]>:$output_scales, SSM_FloatWeight:$d,
                       2DTensorOf<[I8]>:$state, I64Attr:$a_bits, I64Attr:$b_bits, I64Attr:$c_bits,
                       OptionalAttr<StrAttr>:$path);
  let results = (outs 2DTensorOf<[F32]>:$result, 2DTensorOf<[I8]>:$next_state);
  let assemblyFormat = [{
    $codes `,` $scales `a` $a `b` $b `c` $c `constants` $constants `,` $output_scales `d` $d
    `state` $state attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Columns of `constants`, as ssmq::IntegerScanConstant counts them.
    static constexpr int64_t kConstants = 10;
  }];
}

#endif // SSMQ_DIALECT_SSM_SCANOPS
