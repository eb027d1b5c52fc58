// The language server knows the dialect and its verifiers.
// RUN: ssmq-lsp-server -lit-test < %S/../Inputs/lsp.txt | FileCheck %s
// CHECK: "method": "textDocument/publishDiagnostics"
// CHECK: 'ssm.embedding' op {{.*}}inferred type
