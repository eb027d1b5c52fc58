/*===- LibraryOpenCL.c - A library whose program runs on an OpenCL device ------===
 *
 * Opens the loader and a device when the first state is made (or the host asks for one), builds the
 * kernels, copies the weights there, and does what compiled code asks for (Runtime/OpenCL/Launch.h).
 * One call at a time has the device.
 *
 *===---------------------------------------------------------------------------===*/

#define CL_TARGET_OPENCL_VERSION 300
#include "LibraryMemory.h"

#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Defined by the emitter. Native code is what ocloc wrote, empty without it. Emulation is OpenCL C
 * that all need, that defines the dpas and that defines the block I/O which the kernels import. */
extern const char ssmq_library_spirv[], ssmq_library_native[];
extern const int64_t ssmq_library_spirv_bytes, ssmq_library_native_bytes;
extern const char *const ssmq_library_emulation[3];
struct kernel {
  const char *name;
  int64_t num_parameters;
  /* Of each number; 0 stands for a pointer. */
  const int8_t *parameter_bytes;
  cl_kernel handle;
};
extern const int64_t ssmq_library_num_kernels;
extern struct kernel ssmq_library_kernels[];
extern const int64_t ssmq_library_weight_bytes[];

#define FUNCTIONS(X)                                                                               \
  X(clBuildProgram)                                                                                \
  X(clCompileProgram)                                                                              \
  X(clCreateCommandQueueWithProperties)                                                            \
  X(clCreateContext)                                                                               \
  X(clCreateKernel)                                                                                \
  X(clCreateProgramWithBinary)                                                                     \
  X(clCreateProgramWithIL)                                                                         \
  X(clCreateProgramWithSource)                                                                     \
  X(clEnqueueNDRangeKernel)                                                                        \
  X(clFinish)                                                                                      \
  X(clGetDeviceIDs)                                                                                \
  X(clGetDeviceInfo)                                                                               \
  X(clGetExtensionFunctionAddressForPlatform)                                                      \
  X(clGetPlatformIDs)                                                                              \
  X(clGetProgramBuildInfo)                                                                         \
  X(clLinkProgram)                                                                                 \
  X(clReleaseProgram)                                                                              \
  X(clSetKernelArg)
#define EXTENSION_FUNCTIONS(X)                                                                     \
  X(clDeviceMemAllocINTEL)                                                                         \
  X(clEnqueueMemFillINTEL)                                                                         \
  X(clEnqueueMemcpyINTEL)                                                                          \
  X(clMemBlockingFreeINTEL)                                                                        \
  X(clSetKernelArgMemPointerINTEL)

static struct {
#define MEMBER(NAME) __typeof__(&NAME) NAME;
  FUNCTIONS(MEMBER)
#undef MEMBER
#define MEMBER(NAME) NAME##_fn NAME;
  EXTENSION_FUNCTIONS(MEMBER)
#undef MEMBER
} cl;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static cl_platform_id platform;
static cl_device_id device;
static cl_context context;
static cl_command_queue queue;
static int is_open, is_native;
/* Why the device that was chosen cannot be used: nothing of that is tried again. */
static int open_failure;
/* The first failure of the call that runs. */
static int failure;
static char message[1024];

static int fail(int status, const char *what, cl_int code) {
  snprintf(message, sizeof(message), code ? "%s (OpenCL error %d)" : "%s", what, code);
  return status;
}

static int is_out_of_memory(cl_int code) {
  return code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
         code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
}

/* Of a device that answers no more than this. */
static const char *get_text(cl_device_id of, cl_device_info what, char *text, size_t size) {
  size_t length = 0;
  memset(text, 0, size);
  if (cl.clGetDeviceInfo(of, what, 0, NULL, &length) != CL_SUCCESS || length >= size ||
      cl.clGetDeviceInfo(of, what, length, text, NULL) != CL_SUCCESS)
    text[0] = 0;
  return text;
}

static int has_extension(cl_device_id of, const char *name) {
  char text[16384];
  return strstr(get_text(of, CL_DEVICE_EXTENSIONS, text, sizeof(text)), name) != NULL;
}

static int runs_kernels(cl_device_id of) {
  size_t sizes[16] = {0};
  int has_subgroups = 0;
  cl.clGetDeviceInfo(of, CL_DEVICE_SUB_GROUP_SIZES_INTEL, sizeof(sizes), sizes, NULL);
  for (int i = 0; i < 16; ++i)
    has_subgroups |= sizes[i] == 16;
  char text[1024];
  return has_subgroups && has_extension(of, "cl_intel_unified_shared_memory") &&
         has_extension(of, "cl_khr_fp16") &&
         strstr(get_text(of, CL_DEVICE_IL_VERSION, text, sizeof(text)), "SPIR-V");
}

static int load_functions(void) {
  const char *name = getenv("SSMQ_OPENCL");
  void *loader = dlopen(name && *name ? name : "libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!loader)
    return fail(NO_DEVICE, "there is no OpenCL loader; install ocl-icd-libopencl1", 0);
#define FIND(NAME)                                                                                 \
  cl.NAME = (__typeof__(&NAME))dlsym(loader, #NAME);                                               \
  if (!cl.NAME)                                                                                    \
    return fail(NO_DEVICE, "the OpenCL loader has no " #NAME, 0);
  FUNCTIONS(FIND)
#undef FIND
  return OK;
}

/* "xe": the first GPU that runs the kernels, else the first CPU; "xe:N": device N of all. */
static int choose_device(const char *choice) {
  enum { MAX = 16 };
  long wanted = -1, seen = 0;
  if (strncmp(choice, "xe:", 3) == 0) {
    char *end;
    wanted = strtol(choice + 3, &end, 10);
    if (end == choice + 3 || *end || wanted < 0)
      return fail(NO_DEVICE, "devices are called xe or xe:NUMBER", 0);
  } else if (strcmp(choice, "xe") != 0) {
    return fail(NO_DEVICE, "devices are called xe or xe:NUMBER", 0);
  }
  cl_platform_id platforms[MAX];
  cl_uint num_platforms = 0;
  if (cl.clGetPlatformIDs(MAX, platforms, &num_platforms) != CL_SUCCESS)
    num_platforms = 0;
  int best = 0;
  for (cl_uint p = 0; p < num_platforms && p < MAX; ++p) {
    cl_device_id devices[MAX];
    cl_uint num_devices = 0;
    if (cl.clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX, devices, &num_devices) !=
        CL_SUCCESS)
      continue;
    for (cl_uint d = 0; d < num_devices && d < MAX; ++d, ++seen) {
      cl_device_type type = 0;
      cl.clGetDeviceInfo(devices[d], CL_DEVICE_TYPE, sizeof(type), &type, NULL);
      int rank = type & CL_DEVICE_TYPE_GPU ? 3 : type & CL_DEVICE_TYPE_CPU ? 2 : 1;
      if (wanted >= 0 ? seen != wanted : rank < 2)
        continue;
      if (rank > best && runs_kernels(devices[d])) {
        best = rank;
        platform = platforms[p];
        device = devices[d];
      }
    }
  }
  return best ? OK : fail(NO_DEVICE, "no such OpenCL device runs Xe kernels", 0);
}

static int open_queue(void) {
  cl_int code;
#define FIND(NAME)                                                                                 \
  cl.NAME = (NAME##_fn)cl.clGetExtensionFunctionAddressForPlatform(platform, #NAME);               \
  if (!cl.NAME)                                                                                    \
    return fail(NO_DEVICE, "the OpenCL driver has no " #NAME, 0);
  EXTENSION_FUNCTIONS(FIND)
#undef FIND
  context = cl.clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  if (code != CL_SUCCESS)
    return fail(DEVICE_FAILED, "the device cannot be opened", code);
  queue = cl.clCreateCommandQueueWithProperties(context, device, NULL, &code);
  return code == CL_SUCCESS ? OK : fail(DEVICE_FAILED, "the device gives no queue", code);
}

static int fail_build(cl_program program, const char *what, cl_int code) {
  char log[700] = "";
  if (program)
    cl.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof(log) - 1, log, NULL);
  for (char *c = log; *c; ++c)
    if (*c == '\n')
      *c = ' ';
  char line[900];
  snprintf(line, sizeof(line), "%s: %s", what, log);
  return fail(DEVICE_FAILED, line, code);
}

/* The native code for this device, or null. */
static cl_program build_native(void) {
  if (ssmq_library_native_bytes == 0)
    return NULL;
  size_t size = ssmq_library_native_bytes;
  const unsigned char *bytes = (const unsigned char *)ssmq_library_native;
  cl_int status = CL_SUCCESS, code = CL_SUCCESS;
  cl_program program =
      cl.clCreateProgramWithBinary(context, 1, &device, &size, &bytes, &status, &code);
  if (code == CL_SUCCESS && status == CL_SUCCESS &&
      cl.clBuildProgram(program, 1, &device, NULL, NULL, NULL) == CL_SUCCESS)
    return program;
  if (program)
    cl.clReleaseProgram(program);
  return NULL;
}

static int build_spirv(cl_program *result) {
  cl_int code;
  cl_program program =
      cl.clCreateProgramWithIL(context, ssmq_library_spirv, ssmq_library_spirv_bytes, &code);
  if (code != CL_SUCCESS)
    return fail(DEVICE_FAILED, "the device takes no SPIR-V of ours", code);
  const char *sources[3] = {ssmq_library_emulation[0], "", ""};
  if (!has_extension(device, "cl_intel_subgroup_matrix_multiply_accumulate"))
    sources[1] = ssmq_library_emulation[1];
  if (!has_extension(device, "cl_intel_subgroup_2d_block_io"))
    sources[2] = ssmq_library_emulation[2];
  *result = program;
  if (!*sources[1] && !*sources[2]) {
    code = cl.clBuildProgram(program, 1, &device, NULL, NULL, NULL);
    return code == CL_SUCCESS ? OK : fail_build(program, "the kernels do not build", code);
  }
  cl_program emulation = cl.clCreateProgramWithSource(context, 3, sources, NULL, &code);
  if (code == CL_SUCCESS)
    code = cl.clCompileProgram(emulation, 1, &device, "-cl-std=CL3.0", 0, NULL, NULL, NULL, NULL);
  if (code != CL_SUCCESS)
    return fail_build(emulation, "the emulation of Xe's functions does not compile", code);
  code = cl.clCompileProgram(program, 1, &device, NULL, 0, NULL, NULL, NULL, NULL);
  if (code != CL_SUCCESS)
    return fail_build(program, "the kernels do not compile", code);
  cl_program parts[2] = {program, emulation};
  *result = cl.clLinkProgram(context, 1, &device, NULL, 2, parts, NULL, NULL, &code);
  return code == CL_SUCCESS ? OK : fail_build(*result, "the kernels do not link", code);
}

static int build(void) {
  cl_program program = build_native();
  is_native = program != NULL;
  int status = is_native ? OK : build_spirv(&program);
  for (int64_t i = 0; i < ssmq_library_num_kernels && status == OK; ++i) {
    struct kernel *kernel = &ssmq_library_kernels[i];
    cl_int code;
    kernel->handle = cl.clCreateKernel(program, kernel->name, &code);
    if (code != CL_SUCCESS)
      status = fail(DEVICE_FAILED, kernel->name, code);
  }
  return status;
}

static int allocate(int64_t bytes, void **memory) {
  cl_int code = CL_SUCCESS;
  *memory = cl.clDeviceMemAllocINTEL(context, device, NULL, bytes ? bytes : 1, 64, &code);
  if (*memory)
    return OK;
  return fail(is_out_of_memory(code) ? OUT_OF_MEMORY : DEVICE_FAILED,
              "the device has no such memory", code);
}

static int copy(void *to, const void *from, int64_t bytes, cl_bool wait) {
  cl_int code = bytes ? cl.clEnqueueMemcpyINTEL(queue, wait, to, from, bytes, 0, NULL, NULL)
                      : CL_SUCCESS;
  return code == CL_SUCCESS ? OK : fail(DEVICE_FAILED, "a copy failed", code);
}

static int upload_weights(void) {
  void **memory = calloc(ssmq_library_num_weights + 1, sizeof(*memory));
  int status = memory ? OK : OUT_OF_MEMORY;
  for (int64_t i = 0; i < ssmq_library_num_weights && status == OK; ++i) {
    status = allocate(ssmq_library_weight_bytes[i], &memory[i]);
    if (status == OK)
      status = copy(memory[i], ssmq_library_weights[i], ssmq_library_weight_bytes[i], CL_TRUE);
  }
  for (int64_t i = 0; i < ssmq_library_num_weights && status == OK; ++i)
    ssmq_library_weights[i] = memory[i];
  free(memory);
  return status;
}

static int open_device(const char *choice) {
  if (is_open || open_failure)
    return open_failure;
  if (ssmq_library_num_weights && !ssmq_library_weights[0])
    return NO_WEIGHTS;
  int status = load_functions();
  if (status == OK)
    status = choose_device(choice);
  if (status != OK)
    return status;
  status = open_queue();
  if (status == OK)
    status = build();
  if (status == OK)
    status = upload_weights();
  open_failure = status;
  is_open = status == OK;
  return status;
}

int ssmq_library_open_device(const char *choice) {
  pthread_mutex_lock(&mutex);
  int status = is_open ? fail(DEVICE_FAILED, "a device is open already", 0)
                       : open_device(choice ? choice : "xe");
  pthread_mutex_unlock(&mutex);
  return status;
}

const char *ssmq_library_device_message(void) { return message; }

int ssmq_library_device_is_native(void) { return is_native; }

int ssmq_memory_allocate(int64_t bytes, void **memory) {
  pthread_mutex_lock(&mutex);
  int status = open_device("xe");
  if (status == OK)
    status = allocate(bytes, memory);
  pthread_mutex_unlock(&mutex);
  if (status == OK)
    ssmq_memory_clear(*memory, bytes);
  return status;
}

void ssmq_memory_free(void *memory) {
  if (memory)
    cl.clMemBlockingFreeINTEL(context, memory);
}

void ssmq_memory_clear(void *memory, int64_t bytes) {
  static const char zero = 0;
  if (bytes)
    cl.clEnqueueMemFillINTEL(queue, memory, &zero, 1, bytes, 0, NULL, NULL);
}

/* Memory that is kept for the next call: tokens, logits, and what compiled code allocates. */
struct buffer {
  void *memory;
  int64_t bytes;
  int in_use;
};
static struct buffer buffers[18];

static void *get_buffer(struct buffer *buffer, int64_t bytes) {
  if (buffer->memory && buffer->bytes >= bytes)
    return buffer->memory;
  ssmq_memory_free(buffer->memory);
  int status = allocate(bytes, &buffer->memory);
  buffer->bytes = buffer->memory ? bytes : 0;
  if (status != OK && !failure)
    failure = status;
  return buffer->memory;
}

int ssmq_memory_run(const struct call *call) {
  pthread_mutex_lock(&mutex);
  failure = OK;
  void *tokens = get_buffer(&buffers[0], call->token_bytes);
  void *logits = get_buffer(&buffers[1], call->logit_bytes);
  set_data(call->tokens_descriptor, tokens);
  set_data(call->logits_descriptor, logits);
  if (!failure)
    failure = copy(tokens, call->tokens, call->token_bytes, CL_TRUE);
  if (!failure)
    call->invoke(call->descriptors);
  if (!failure)
    failure = copy(call->logits, logits, call->logit_bytes, CL_TRUE);
  else
    cl.clFinish(queue);
  int status = failure;
  pthread_mutex_unlock(&mutex);
  return status;
}

/* The third argument is the entry of the table that the emitter put in place of a name. */
void ssmq_xe_launch(const void *spirv, int64_t spirv_bytes, struct kernel *kernel,
                    const int64_t *sizes, const int64_t *arguments, int64_t num_arguments,
                    int64_t pointer_mask) {
  (void)spirv, (void)spirv_bytes, (void)pointer_mask;
  if (failure)
    return;
  cl_int code = num_arguments == kernel->num_parameters ? CL_SUCCESS : CL_INVALID_KERNEL_ARGS;
  for (int64_t i = 0; i < num_arguments && code == CL_SUCCESS; ++i)
    code = kernel->parameter_bytes[i]
               ? cl.clSetKernelArg(kernel->handle, i, kernel->parameter_bytes[i], &arguments[i])
               : cl.clSetKernelArgMemPointerINTEL(kernel->handle, i,
                                                  (const void *)(intptr_t)arguments[i]);
  size_t global[3], local[3];
  for (int i = 0; i < 3; ++i) {
    local[i] = sizes[3 + i];
    global[i] = sizes[i] * sizes[3 + i];
  }
  if (code == CL_SUCCESS && global[0] && global[1] && global[2])
    code = cl.clEnqueueNDRangeKernel(queue, kernel->handle, 3, NULL, global, local, 0, NULL, NULL);
  if (code != CL_SUCCESS)
    failure = fail(is_out_of_memory(code) ? OUT_OF_MEMORY : DEVICE_FAILED, kernel->name, code);
}

void ssmq_xe_copy(void *to, const void *from, int64_t bytes) {
  if (!failure)
    failure = copy(to, from, bytes, CL_FALSE);
}

void ssmq_xe_store(void *to, int64_t bits, int64_t bytes) {
  if (!failure)
    failure = copy(to, &bits, bytes, CL_TRUE);
}

void *_mlir_memref_to_llvm_alloc(int64_t bytes) {
  for (int i = 2; i < 18; ++i)
    if (!buffers[i].in_use) {
      void *memory = get_buffer(&buffers[i], bytes);
      buffers[i].in_use = memory != NULL;
      return memory;
    }
  failure = fail(DEVICE_FAILED, "a call asks for more than 16 buffers at a time", 0);
  return NULL;
}

void _mlir_memref_to_llvm_free(void *memory) {
  for (int i = 2; i < 18; ++i)
    if (buffers[i].memory == memory)
      buffers[i].in_use = 0;
}
