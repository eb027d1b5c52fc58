// The sub-group functions that Xe has in hardware and other OpenCL devices lack, by their plain
// definition, for sub-groups of 16: macros, of which those that a module imports are instantiated
// behind this text (SubgroupFunctions.cpp).
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define OVERLOADED __attribute__((overloadable))
// Kernels call them often, and drivers take long for what is written out everywhere.
#define NOT_INLINED __attribute__((noinline))

//===----------------------------------------------------------------------===//
// D = C + A B of M x K, K x 16. Lane l holds column l of B, C and D; an int of B is 4 / size
// consecutive rows. A row of A is one short in each lane: with 16 bits column l, with 8 bits
// columns 2 l and 2 l + 1.
//===----------------------------------------------------------------------===//

static float ssmq_bf16(ushort bits) { return as_float((uint)bits << 16); }
static float ssmq_f16(ushort bits) { return (float)as_half(bits); }

#define SSMQ_MAD_16(NAME, TO_FLOAT, M, A, C)                                                       \
  NOT_INLINED C OVERLOADED intel_sub_group_##NAME##_##NAME##_matrix_mad_k16(A a, int8 b, C c) {    \
    union { A all; short of[M]; } rows = {a};                                                      \
    union { int8 all; int of[8]; } columns = {b};                                                  \
    union { C all; float of[M]; } sums = {c};                                                      \
    for (int k = 0; k < 16; ++k) {                                                                 \
      float factor = TO_FLOAT((ushort)((uint)columns.of[k / 2] >> 16 * (k % 2)));                  \
      for (int m = 0; m < M; ++m)                                                                  \
        sums.of[m] += TO_FLOAT(as_ushort(sub_group_broadcast(rows.of[m], k))) * factor;            \
    }                                                                                              \
    return sums.all;                                                                               \
  }

#define SSMQ_MAD_8(NAME_A, NAME_B, TYPE_A, TYPE_B, M, A, B, C)                                     \
  NOT_INLINED C OVERLOADED intel_sub_group_##NAME_A##_##NAME_B##_matrix_mad_k32(A a, B b, C c) {   \
    union { A all; short of[M]; } rows = {a};                                                      \
    union { B all; int of[8]; } columns = {b};                                                     \
    union { C all; int of[M]; } sums = {c};                                                        \
    for (int k = 0; k < 32; k += 2) {                                                              \
      int low = (TYPE_B)(columns.of[k / 4] >> 8 * (k % 4));                                        \
      int high = (TYPE_B)(columns.of[k / 4] >> 8 * (k % 4 + 1));                                   \
      for (int m = 0; m < M; ++m) {                                                                \
        short pair = sub_group_broadcast(rows.of[m], k / 2);                                       \
        sums.of[m] += (TYPE_A)pair * low + (TYPE_A)(pair >> 8) * high;                             \
      }                                                                                            \
    }                                                                                              \
    return sums.all;                                                                               \
  }

//===----------------------------------------------------------------------===//
// Blocks of a matrix of `height` rows of `width` bytes, `pitch` bytes apart. `at` is the column and
// the row of the first element. Elements outside read as 0 and are not written.
//===----------------------------------------------------------------------===//

#define SSMQ_ELEMENT(T)                                                                            \
  static T ssmq_get_##T(global const uchar *base, int width, int height, int pitch, int x, int y) {\
    bool inside = x >= 0 && y >= 0 && y < height && (x + 1) * (int)sizeof(T) <= width;             \
    return inside ? *(global const T *)(base + (long)y * pitch + x * (int)sizeof(T)) : (T)0;       \
  }                                                                                                \
  static void ssmq_set_##T(global uchar *base, int width, int height, int pitch, int x, int y,     \
                           T value) {                                                              \
    if (x >= 0 && y >= 0 && y < height && (x + 1) * (int)sizeof(T) <= width)                       \
      *(global T *)(base + (long)y * pitch + x * (int)sizeof(T)) = value;                          \
  }

SSMQ_ELEMENT(uchar)
SSMQ_ELEMENT(ushort)
SSMQ_ELEMENT(uint)

// Lane l holds COLUMNS / 16 consecutive elements of each row; blocks one after the other.
#define SSMQ_READ(T, BITS, ROWS, COLUMNS, BLOCKS, POINTEE)                                         \
  void OVERLOADED intel_sub_group_2d_block_read_##BITS##b_##ROWS##r##COLUMNS##x##BLOCKS##c(        \
      global void *base, int width, int height, int pitch, int2 at, private POINTEE *to) {         \
    private T *next = (private T *)to;                                                             \
    int first = at.x + (int)get_sub_group_local_id() * (COLUMNS / 16);                             \
    for (int block = 0; block < BLOCKS; ++block)                                                   \
      for (int row = 0; row < ROWS; ++row)                                                         \
        for (int i = 0; i < COLUMNS / 16; ++i)                                                     \
          *next++ = ssmq_get_##T(base, width, height, pitch, first + block * COLUMNS + i,          \
                                 at.y + row);                                                      \
  }

// VNNI: an uint of lane l holds consecutive rows of column l.
#define SSMQ_READ_TRANSFORM(T, BITS, ROWS, COLUMNS, BLOCKS, POINTEE)                               \
  void OVERLOADED intel_sub_group_2d_block_read_transform_##BITS##b_##ROWS##r16x##BLOCKS##c(       \
      global void *base, int width, int height, int pitch, int2 at, private uint *to) {            \
    private T *next = (private T *)to;                                                             \
    int first = at.x + (int)get_sub_group_local_id();                                              \
    for (int block = 0; block < BLOCKS; ++block)                                                   \
      for (int row = 0; row < ROWS; ++row)                                                         \
        *next++ = ssmq_get_##T(base, width, height, pitch, first + block * 16, at.y + row);        \
  }

// Lane l holds row l.
#define SSMQ_READ_TRANSPOSE(T, BITS, ROWS, COLUMNS, BLOCKS, POINTEE)                               \
  void OVERLOADED intel_sub_group_2d_block_read_transpose_32b_16r##COLUMNS##x1c(                   \
      global void *base, int width, int height, int pitch, int2 at, private uint *to) {            \
    int row = at.y + (int)get_sub_group_local_id();                                                \
    for (int column = 0; column < COLUMNS; ++column)                                               \
      to[column] = ssmq_get_uint(base, width, height, pitch, at.x + column, row);                  \
  }

#define SSMQ_WRITE(T, BITS, ROWS, COLUMNS, BLOCKS, POINTEE)                                        \
  void OVERLOADED intel_sub_group_2d_block_write_##BITS##b_##ROWS##r##COLUMNS##x1c(                \
      global void *base, int width, int height, int pitch, int2 at, private POINTEE *from) {       \
    private T *next = (private T *)from;                                                           \
    int first = at.x + (int)get_sub_group_local_id() * (COLUMNS / 16);                             \
    for (int row = 0; row < ROWS; ++row)                                                           \
      for (int i = 0; i < COLUMNS / 16; ++i)                                                       \
        ssmq_set_##T(base, width, height, pitch, first + i, at.y + row, *next++);                  \
  }

// A hint, which changes nothing.
#define SSMQ_PREFETCH(T, BITS, ROWS, COLUMNS, BLOCKS, POINTEE)                                     \
  void OVERLOADED intel_sub_group_2d_block_prefetch_##BITS##b_##ROWS##r##COLUMNS##x##BLOCKS##c(    \
      global void *base, int width, int height, int pitch, int2 at) {}
