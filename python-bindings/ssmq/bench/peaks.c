/* Prints what N threads of this machine reach, as JSON: bytes a second that they read of footprints,
 * and operations a second of f32 FMA and of int8 dot products (a product and a sum are two).
 *
 *     peaks THREADS BYTES...
 *
 * The widest registers that it is compiled for are used. Without dot product instructions int8 goes
 * by vpmaddubsw, vpmaddwd and vpaddd. */

#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 256, TRIALS = 7, CHAINS = 12 };
static const double TRIAL_SECONDS = 0.06;

#ifdef __AVX512F__
typedef __m512 Floats;
typedef __m512i Ints;
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ADD(a, b) _mm512_add_epi32(a, b)
#define DOT(sum, u, s) _mm512_dpbusd_epi32(sum, u, s)
#define SET_FLOATS(x) _mm512_set1_ps(x)
#define SET_INTS(x) _mm512_set1_epi8(x)
#define LOAD(p) _mm512_load_si512((const void *)(p))
#else
typedef __m256 Floats;
typedef __m256i Ints;
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ADD(a, b) _mm256_add_epi32(a, b)
#ifdef __AVXVNNI__
#define DOT(sum, u, s) _mm256_dpbusd_avx_epi32(sum, u, s)
#else
#define DOT(sum, u, s)                                                                            \
  _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1)))
#endif
#define SET_FLOATS(x) _mm256_set1_ps(x)
#define SET_INTS(x) _mm256_set1_epi8(x)
#define LOAD(p) _mm256_load_si256((const void *)(p))
#endif

/* Keeps a value in its register and unknown to the compiler, at no cost. */
#define OPAQUE(value) __asm__ volatile("" : "+x"(value))

typedef struct Worker Worker;
typedef double Job(Worker *);
struct Worker {
  Job *job;
  pthread_barrier_t *barrier;
  const char *data;
  size_t bytes;
  double rate;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

/* Each job returns its bytes or operations. */
static double readOnce(Worker *worker) {
  Ints sums[8];
  for (int i = 0; i < 8; ++i)
    sums[i] = SET_INTS(0);
  size_t step = 8 * sizeof(Ints), end = worker->bytes / step * step;
  for (size_t at = 0; at < end; at += step)
    for (int i = 0; i < 8; ++i)
      sums[i] = ADD(sums[i], LOAD(worker->data + at + i * sizeof(Ints)));
  for (int i = 0; i < 8; ++i)
    OPAQUE(sums[i]);
  return end;
}

static double multiplyFloats(Worker *worker) {
  (void)worker;
  const int rounds = 100000;
  Floats sums[CHAINS], a = SET_FLOATS(0.5f), b = SET_FLOATS(0.25f);
  for (int i = 0; i < CHAINS; ++i)
    sums[i] = SET_FLOATS(i);
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < CHAINS; ++i)
      sums[i] = FMA(sums[i], a, b);
  for (int i = 0; i < CHAINS; ++i)
    OPAQUE(sums[i]);
  return 2.0 * rounds * CHAINS * (sizeof(Floats) / 4);
}

static double multiplyInts(Worker *worker) {
  (void)worker;
  const int rounds = 100000;
  Ints sums[CHAINS], u = SET_INTS(1), s = SET_INTS(2);
  for (int i = 0; i < CHAINS; ++i)
    sums[i] = SET_INTS(i);
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < CHAINS; ++i) {
      OPAQUE(u);
      sums[i] = DOT(sums[i], u, s);
    }
  for (int i = 0; i < CHAINS; ++i)
    OPAQUE(sums[i]);
  return 2.0 * rounds * CHAINS * sizeof(Ints);
}

/* The best of some trials, in each of which all threads begin together. */
static void *work(void *argument) {
  Worker *worker = argument;
  worker->job(worker);
  for (int trial = 0; trial < TRIALS; ++trial) {
    pthread_barrier_wait(worker->barrier);
    double begin = now(), seconds, done = 0;
    do {
      done += worker->job(worker);
      seconds = now() - begin;
    } while (seconds < TRIAL_SECONDS);
    if (done / seconds > worker->rate)
      worker->rate = done / seconds;
  }
  return NULL;
}

static double measure(Job *job, int threads, const char *data, size_t bytes) {
  static Worker workers[MOST_THREADS];
  pthread_t handles[MOST_THREADS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, threads);
  size_t share = bytes / threads / 4096 * 4096;
  for (int i = 0; i < threads; ++i) {
    workers[i] = (Worker){job, &barrier, data + i * share, share, 0};
    if (pthread_create(&handles[i], NULL, work, &workers[i]))
      exit(3);
  }
  double rate = 0;
  for (int i = 0; i < threads; ++i) {
    pthread_join(handles[i], NULL);
    rate += workers[i].rate;
  }
  pthread_barrier_destroy(&barrier);
  return rate;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 0;
  if (threads < 1 || threads > MOST_THREADS) {
    fprintf(stderr, "usage: peaks THREADS BYTES...\n");
    return 2;
  }
  printf("{\"fma\": %.0f, \"dot\": %.0f, \"read\": {", measure(multiplyFloats, threads, NULL, 0),
         measure(multiplyInts, threads, NULL, 0));
  for (int i = 2; i < argc; ++i) {
    size_t bytes = strtoull(argv[i], NULL, 10) / 4096 * 4096;
    char *data = aligned_alloc(4096, bytes ? bytes : 4096);
    if (!data)
      return 3;
    memset(data, 1, bytes);
    printf("%s\"%zu\": %.0f", i > 2 ? ", " : "", bytes, measure(readOnce, threads, data, bytes));
    free(data);
  }
  printf("}}\n");
  return 0;
}
