// Kernels of the tests of launches.
#define SUBGROUP __attribute__((intel_reqd_sub_group_size(16)))

kernel SUBGROUP void add(global const float *a, global const float *b, global float *sum, int n,
                         float factor) {
  int i = get_global_id(0);
  if (i < n)
    sum[i] = a[i] + factor * b[i];
}

kernel SUBGROUP void whereAmI(global int *at, long offset) {
  int row = get_global_id(1) + get_global_size(1) * get_global_id(2);
  at[get_global_id(0) + get_global_size(0) * row] =
      get_group_id(0) + 10 * get_group_id(1) + 100 * get_group_id(2) +
      1000 * get_sub_group_local_id() + offset;
}
