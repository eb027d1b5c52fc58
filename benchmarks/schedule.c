/* What OpenMP's schedules cost and gain when cores are unequal: a loop over tiles of bytes, shared
 * by the threads, whose odd threads take SLOWNESS times as long for a tile, as efficiency cores do.
 *
 *     clang -O3 -march=native -fopenmp schedule.c -o schedule && ./schedule [SLOWNESS]
 *
 * Prints microseconds a loop, the least of many. "ideal" is what no schedule can beat. */

#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { TILE = 8192, PASSES = 4, REPEATS = 400 };

static uint8_t *data;
static uint64_t sink[64 * 8];

/* About 0.3 us, as a tile of 16 rows and 1024 columns of 4 bits that come from memory; here they
 * are read again and again, so that threads do not wait for the same memory. */
static void work(long tile, int times) {
  uint64_t sum = 0;
  for (int time = 0; time < PASSES * times; ++time) {
    const uint64_t *words = (const uint64_t *)(data + tile * TILE);
    for (long i = 0; i < TILE / 8; ++i)
      sum += words[i];
    __asm__ volatile("" : "+r"(sum));
  }
  sink[8 * omp_get_thread_num()] += sum;
}

static int slowness = 2;
static int getTimes(void) { return omp_get_thread_num() % 2 ? slowness : 1; }

typedef void Loop(long tiles);
static void runStatic(long tiles) {
#pragma omp parallel for schedule(static)
  for (long i = 0; i < tiles; ++i)
    work(i, getTimes());
}
static void runDynamic(long tiles) {
  long chunk = tiles / (4 * omp_get_max_threads());
  chunk = chunk < 1 ? 1 : chunk;
#pragma omp parallel for schedule(dynamic, chunk)
  for (long i = 0; i < tiles; ++i)
    work(i, getTimes());
}
static void runSingle(long tiles) {
#pragma omp parallel for schedule(dynamic, 1)
  for (long i = 0; i < tiles; ++i)
    work(i, getTimes());
}
static void runGuided(long tiles) {
#pragma omp parallel for schedule(guided)
  for (long i = 0; i < tiles; ++i)
    work(i, getTimes());
}
static void runGuidedAtLeast(long tiles) {
  long chunk = tiles / (16 * omp_get_max_threads());
  chunk = chunk < 1 ? 1 : chunk;
#pragma omp parallel for schedule(guided, chunk)
  for (long i = 0; i < tiles; ++i)
    work(i, getTimes());
}
static void runAlone(long tiles) {
  for (long i = 0; i < tiles; ++i)
    work(i, 1);
}

static double measure(Loop *loop, long tiles) {
  double best = 1e9;
  for (int repeat = 0; repeat < REPEATS; ++repeat) {
    double begin = omp_get_wtime();
    loop(tiles);
    double taken = omp_get_wtime() - begin;
    best = taken < best ? taken : best;
  }
  return 1e6 * best;
}

int main(int argc, char **argv) {
  slowness = argc > 1 ? atoi(argv[1]) : 2;
  const long most = 1024;
  data = aligned_alloc(64, most * TILE);
  for (long i = 0; i < most * TILE; ++i)
    data[i] = (uint8_t)i;
  int threads = omp_get_max_threads(), fast = (threads + 1) / 2;
  printf("%d threads, odd ones %d times as slow\n", threads, slowness);
  printf("%8s %9s %9s %9s %14s %14s %11s\n", "tiles", "ideal", "static", "guided", "guided,n/16T",
         "dynamic,n/4T", "dynamic,1");
  for (long tiles = 16; tiles <= most; tiles *= 4) {
    double alone = measure(runAlone, tiles);
    double speed = fast + (threads - fast) / (double)slowness;
    printf("%8ld %9.2f %9.2f %9.2f %14.2f %14.2f %11.2f\n", tiles, alone / speed,
           measure(runStatic, tiles), measure(runGuided, tiles), measure(runGuidedAtLeast, tiles),
           measure(runDynamic, tiles), measure(runSingle, tiles));
  }
  return sink[0] == 1;
}
