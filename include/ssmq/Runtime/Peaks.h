//===- Peaks.h - What a machine reaches -------------------------*- C++ -*-===//
//
// Measured in about a third of a second, with the widest instructions of this processor: reads of a
// footprint larger than caches, chains of independent multiply-adds in registers.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_PEAKS_H
#define SSMQ_RUNTIME_PEAKS_H

namespace ssmq {

struct MachinePeaks {
  /// Bytes a second of reads from memory, multiply-adds a second of f32 and of 8-bit integers; 0
  /// where it is not known.
  double bandwidth = 0, floatRate = 0, integerRate = 0;
};

/// The best of several trials with `threads` threads. Processors without AVX2 are not measured.
MachinePeaks measurePeaks(unsigned threads);

} // namespace ssmq

#endif // SSMQ_RUNTIME_PEAKS_H
