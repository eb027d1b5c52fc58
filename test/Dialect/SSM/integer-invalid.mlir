// RUN: ssmq-opt %s --split-input-file --verify-diagnostics

func.func @format(%x: tensor<?x64xf32>) -> tensor<?x64xi8> {
  // expected-error @+1 {{format 'i8 asym per_token' has no integer products with 64 columns in groups of 32}}
  %c, %s, %n = ssm.quantize %x as <"i8 asym per_token"> {block = 8 : i64, group_size = 32 : i64}
    : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x2xi32>
  return %c : tensor<?x64xi8>
}

// -----

func.func @block(%x: tensor<?x64xf32>) -> tensor<?x64xi8> {
  // expected-error @+1 {{block must be 4 or 8, but is 5}}
  %c, %s, %n = ssm.quantize %x as <"i8 sym per_token"> {block = 5 : i64, group_size = 32 : i64}
    : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x2xi32>
  return %c : tensor<?x64xi8>
}

// -----

func.func @padding(%x: tensor<?x64xf32>) -> tensor<?x64xi8> {
  // expected-error @+1 {{codes must be 'tensor<?x72xi8>', but are 'tensor<?x64xi8>'}}
  %c, %s, %n = ssm.quantize %x as <"i8 sym per_token"> {block = 8 : i64, group_size = 60 : i64}
    : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x2xi32>
  return %c : tensor<?x64xi8>
}

// -----

func.func @tiles(%c: tensor<?x64xi8>, %s: tensor<?x1xf32>, %n: tensor<?x2xi32>, %w: tensor<2x1024xi8>,
                 %u: tensor<2x2x16xf16>) -> tensor<?x32xf32> {
  // expected-error @+1 {{weight must be 'tensor<2x512xi8>', but is 'tensor<2x1024xi8>'}}
  %y = ssm.integer_linear %c, %s, %n, %w scales %u
    {columns = 64 : i64, group_size = 32 : i64, packed_bits = 4 : i64, scale_columns = 64 : i64}
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x2xi32>, tensor<2x1024xi8>, tensor<2x2x16xf16>)
    -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

func.func @scales(%c: tensor<?x64xi8>, %s: tensor<?x2xf32>, %n: tensor<?x2xi32>, %w: tensor<2x512xi8>,
                  %u: tensor<2x2x16xf16>) -> tensor<?x32xf32> {
  // expected-error @+1 {{scale_columns must be whole groups}}
  %y = ssm.integer_linear %c, %s, %n, %w scales %u
    {columns = 64 : i64, group_size = 32 : i64, packed_bits = 4 : i64, scale_columns = 33 : i64}
    : (tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>, tensor<2x512xi8>, tensor<2x2x16xf16>)
    -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
