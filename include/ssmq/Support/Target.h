//===- Target.h - Processors that code is generated for ---------*- C++ -*-===//
//
// One table of what follows from the name of a target: LLVM's processor and features, the width of
// vectors, the instruction for products of 8-bit integers, and whether the cores are unequal.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_TARGET_H
#define SSMQ_SUPPORT_TARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace ssmq {

/// The best instruction for sums of four products of 8-bit integers in 32 bits.
enum class DotKind {
  None,
  /// vpmaddubsw, vpmaddwd.
  AVX2,
  /// vpdpbusd on 256 bits, VEX-encoded.
  AVXVNNI,
  /// Also vpdpbssd: both factors signed.
  AVXVNNIInt8,
  /// vpdpbusd on 512 bits.
  AVX512VNNI,
};

/// none, avx2, avx_vnni, avx_vnni_int8, avx512_vnni.
llvm::StringRef toString(DotKind dot);
std::optional<DotKind> parseDotKind(llvm::StringRef name);

struct Target {
  /// As llc's -mtriple, -mcpu and -mattr.
  std::string triple, cpu, features;
  /// f32 lanes of the widest vectors: 4, 8 or 16; 2 without vectors.
  unsigned vectorWidth = 4;
  DotKind dot = DotKind::None;
  /// Whether there are instructions for these in f32; what has none would be a call of a library.
  bool hasFMA = false, hasHalf = false, hasRoundEven = false;
  /// Performance and efficiency cores in one processor.
  bool hasUnequalCores = false;
};

/// `name` is "host" (or empty) or a 64-bit x86 processor as clang's -march takes it: lunarlake,
/// sapphirerapids, x86-64-v3, ... `features` are changes to it as llc's -mattr:
/// "+avxvnni,-avx512f". The host stands for its features, not its name, which LLVM may take for an
/// older processor. `name` may also be an Arm Cortex-M (cortex-m4, ...), which code is only emitted
/// for: without an operating system, with the processor's floating point unit where it has one.
llvm::Expected<Target> resolveTarget(llvm::StringRef name, llvm::StringRef features = "");

/// Whether the triple is of a processor like this one.
bool isHostArchitecture(const Target &target);

/// Fails when code for a target, as resolveTarget takes it, cannot run on this machine.
llvm::Error checkRunsHere(llvm::StringRef name);

} // namespace ssmq

#endif // SSMQ_SUPPORT_TARGET_H
