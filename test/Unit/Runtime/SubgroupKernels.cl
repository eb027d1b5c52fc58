// Functions of Xe, declared as MLIR's XeVM lowering calls them; the kernels hand what each lane
// holds to the host.
#define OVERLOADED __attribute__((overloadable))
#define SUBGROUP __attribute__((intel_reqd_sub_group_size(16)))

// A matrix function on what the lanes hold in memory: M shorts, 8 ints, M sums a lane.
#define MAD(KERNEL, FUNCTION, A, B, C)                                                             \
  C OVERLOADED FUNCTION(A, B, C);                                                                  \
  kernel SUBGROUP void KERNEL(global const A *a, global const B *b, global C *c) {                 \
    int lane = get_sub_group_local_id();                                                           \
    c[lane] = FUNCTION(a[lane], b[lane], c[lane]);                                                 \
  }

MAD(mad_f16_8, intel_sub_group_f16_f16_matrix_mad_k16, short8, int8, float8)
MAD(mad_f16_4, intel_sub_group_f16_f16_matrix_mad_k16, short4, int8, float4)
MAD(mad_f16_2, intel_sub_group_f16_f16_matrix_mad_k16, short2, int8, float2)
MAD(mad_f16_1, intel_sub_group_f16_f16_matrix_mad_k16, short, int8, float)
MAD(mad_bf16_8, intel_sub_group_bf16_bf16_matrix_mad_k16, short8, int8, float8)
MAD(mad_s8_s8_8, intel_sub_group_s8_s8_matrix_mad_k32, short8, int8, int8)
MAD(mad_s8_s8_1, intel_sub_group_s8_s8_matrix_mad_k32, short, int8, int)
MAD(mad_u8_s8_8, intel_sub_group_u8_s8_matrix_mad_k32, short8, int8, int8)
MAD(mad_s8_u8_8, intel_sub_group_s8_u8_matrix_mad_k32, short8, int8, int8)
MAD(mad_u8_u8_4, intel_sub_group_u8_u8_matrix_mad_k32, short4, int8, int4)
MAD(mad_i8_u8_2, intel_sub_group_i8_u8_matrix_mad_k32, short2, uint8, int2)

// The elements of a block that a lane holds, COUNT of them, behind one another.
#define READ(FUNCTION, T, COUNT)                                                                   \
  void OVERLOADED intel_sub_group_2d_block_##FUNCTION(global void *, int, int, int, int2,          \
                                                      private T *);                                \
  kernel SUBGROUP void FUNCTION(global void *from, int width, int height, int pitch, int x, int y, \
                                global T *to) {                                                    \
    T held[COUNT];                                                                                 \
    intel_sub_group_2d_block_##FUNCTION(from, width, height, pitch, (int2)(x, y), held);           \
    for (int i = 0; i < COUNT; ++i)                                                                \
      to[get_sub_group_local_id() * COUNT + i] = held[i];                                          \
  }

READ(read_8b_8r32x1c, uchar, 16)
READ(read_8b_4r32x2c, ushort, 8)
READ(read_16b_8r16x1c, ushort, 8)
READ(read_16b_16r16x2c, ushort, 32)
READ(read_32b_8r16x1c, uint, 8)
READ(read_transform_8b_32r16x1c, uint, 8)
READ(read_transform_8b_32r16x2c, uint, 16)
READ(read_transform_16b_16r16x1c, uint, 8)
READ(read_transform_16b_32r16x2c, uint, 32)
READ(read_transpose_32b_16r8x1c, uint, 8)

#define WRITE(FUNCTION, T, COUNT)                                                                  \
  void OVERLOADED intel_sub_group_2d_block_##FUNCTION(global void *, int, int, int, int2,          \
                                                      private T *);                                \
  kernel SUBGROUP void FUNCTION(global void *to, int width, int height, int pitch, int x, int y,   \
                                global const T *from) {                                            \
    T held[COUNT];                                                                                 \
    for (int i = 0; i < COUNT; ++i)                                                                \
      held[i] = from[get_sub_group_local_id() * COUNT + i];                                        \
    intel_sub_group_2d_block_##FUNCTION(to, width, height, pitch, (int2)(x, y), held);             \
  }

WRITE(write_8b_8r32x1c, uchar, 16)
WRITE(write_8b_2r16x1c, uchar, 2)
WRITE(write_16b_8r16x1c, ushort, 8)
WRITE(write_32b_8r16x1c, uint, 8)

void OVERLOADED intel_sub_group_2d_block_prefetch_16b_8r16x1c(global void *, int, int, int, int2);
kernel SUBGROUP void prefetch_16b_8r16x1c(global void *from, int width, int height, int pitch) {
  intel_sub_group_2d_block_prefetch_16b_8r16x1c(from, width, height, pitch, (int2)(0, 0));
}
