//===- BufferPool.h - Memory of tensors, kept for the next ones -*- C++ -*-===//
//
// A rerun makes and drops the same tensors again and again, and fresh memory from the system costs
// as much as computing its contents. So large blocks are kept, up to a bound, and given out again.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_BUFFERPOOL_H
#define SSMQ_SUPPORT_BUFFERPOOL_H

#include <cstddef>

namespace ssmq {

/// At least `size` bytes at the alignment of a cache line; null when there are none left.
void *takeBuffer(size_t size);
/// Gives back what takeBuffer gave for the same size.
void giveBuffer(void *buffer, size_t size);

} // namespace ssmq

#endif // SSMQ_SUPPORT_BUFFERPOOL_H
