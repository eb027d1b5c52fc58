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

// -----

func.func @parts(%x: tensor<?x8xi8>, %m: tensor<?x1xf32>, %a: tensor<6x5xi8>, %n: tensor<6x10xi32>,
                 %f: tensor<6xf32>, %s: tensor<6x5xi8>) {
  // expected-error @+1 {{state must be heads x pairs of real and imaginary parts, but is 'tensor<6x5xi8>'}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %s
    {a_bits = 8 : i64, b_bits = 8 : i64, c_bits = 8 : i64}
    : (tensor<?x8xi8>, tensor<?x1xf32>, tensor<6x5xi8>, tensor<6x5xi8>, tensor<6x5xi8>, tensor<6x10xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x5xi8>) -> (tensor<?x6xf32>, tensor<6x5xi8>)
  return
}

// -----

func.func @heads(%x: tensor<?x5xi8>, %m: tensor<?x1xf32>, %a: tensor<6x4xi8>, %n: tensor<6x10xi32>,
                 %f: tensor<6xf32>) {
  // expected-error @+1 {{codes must have a column for each of 6 heads, but are 'tensor<?x5xi8>'}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %a
    {a_bits = 8 : i64, b_bits = 8 : i64, c_bits = 8 : i64}
    : (tensor<?x5xi8>, tensor<?x1xf32>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x10xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}

// -----

func.func @bits(%x: tensor<?x8xi8>, %m: tensor<?x1xf32>, %a: tensor<6x4xi8>, %n: tensor<6x10xi32>,
                %f: tensor<6xf32>) {
  // expected-error @+1 {{b_bits must be 4 or 8, but is 6}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %a
    {a_bits = 8 : i64, b_bits = 6 : i64, c_bits = 8 : i64}
    : (tensor<?x8xi8>, tensor<?x1xf32>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x10xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}

// -----

func.func @nibbles(%x: tensor<?x8xi8>, %m: tensor<?x1xf32>, %a: tensor<6x4xi8>, %n: tensor<6x10xi32>,
                   %f: tensor<6xf32>) {
  // expected-error @+1 {{c must be 'tensor<6x2xi8>', but is 'tensor<6x4xi8>'}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %a
    {a_bits = 8 : i64, b_bits = 8 : i64, c_bits = 4 : i64}
    : (tensor<?x8xi8>, tensor<?x1xf32>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x10xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}

// -----

func.func @constants(%x: tensor<?x8xi8>, %m: tensor<?x1xf32>, %a: tensor<6x4xi8>, %n: tensor<6x9xi32>,
                     %f: tensor<6xf32>) {
  // expected-error @+1 {{constants must be 'tensor<6x10xi32>', but is 'tensor<6x9xi32>'}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %a
    {a_bits = 8 : i64, b_bits = 8 : i64, c_bits = 8 : i64}
    : (tensor<?x8xi8>, tensor<?x1xf32>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x9xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}

// -----

func.func @tokens(%x: tensor<?x8xi8>, %m: tensor<1x1xf32>, %a: tensor<6x4xi8>, %n: tensor<6x10xi32>,
                  %f: tensor<6xf32>) {
  // expected-error @+1 {{scales must be 'tensor<?x1xf32>', but is 'tensor<1x1xf32>'}}
  %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %a c %a constants %n, %f d %f state %a
    {a_bits = 8 : i64, b_bits = 8 : i64, c_bits = 8 : i64}
    : (tensor<?x8xi8>, tensor<1x1xf32>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x4xi8>, tensor<6x10xi32>,
       tensor<6xf32>, tensor<6xf32>, tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}
