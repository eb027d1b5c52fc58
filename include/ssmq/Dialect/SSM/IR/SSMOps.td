//===- SSMOps.td - All ops of the ssm dialect -----------------*- tablegen -*-===//

#ifndef SSMQ_DIALECT_SSM_OPS
#define SSMQ_DIALECT_SSM_OPS

include "ssmq/Dialect/SSM/IR/AttentionOps.td"
include "ssmq/Dialect/SSM/IR/ConvOps.td"
include "ssmq/Dialect/SSM/IR/FormatOps.td"
include "ssmq/Dialect/SSM/IR/LaunchOps.td"
include "ssmq/Dialect/SSM/IR/LinearOps.td"
include "ssmq/Dialect/SSM/IR/NormOps.td"
include "ssmq/Dialect/SSM/IR/ScanOps.td"

#endif // SSMQ_DIALECT_SSM_OPS
