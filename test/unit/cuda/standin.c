/*
 * ONNX Runtime with a graphics card that is none: the true library, with "Cuda" memory that is mapped out of the process whenever no run
 * and no copy goes on. Who touches it from the host crashes; a tensor that is declared to lie where it does not is an error. Copies
 * between the two memories are counted as the true provider would make them. Places in the table are those of onnxruntime_c_api.h.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { places = 512, most = 4096 };
typedef void *status;
typedef struct { const void *(*get_api)(uint32_t); const char *(*version)(void); } api_base;

static void *table[places];
static void **truth;
static api_base base;

/* Copies and bytes to the device, copies and bytes to the host, runs, bytes held on the device. */
uint64_t standin_counts[6];
/* Set by tests: bytes that the card has (0: any), and the run at which it is lost (0: never). */
uint64_t standin_limit, standin_lost_at;

static struct { char *at; size_t bytes, mapped; } blocks[most];
static struct { void *value; size_t bytes; int on_device; } values[most];
static void *cuda_infos[most], *cuda_options[most], *cuda_sessions[most];
static int registered, in_use;
static char token;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define TRUE_CALL(place, type) ((type)truth[place])

static status refuse(const char *why) {
  return TRUE_CALL(0, status (*)(int, const char *))(1, why);
}

static void put(void **set, void *thing) {
  for (int i = 0; i < most; i++) if (!set[i]) { set[i] = thing; return; }
  abort();
}

static int take(void **set, const void *thing, int remove) {
  for (int i = 0; i < most; i++) if (set[i] == thing) { if (remove) set[i] = 0; return 1; }
  return 0;
}

static void open_memory(int change) {
  pthread_mutex_lock(&lock);
  int before = in_use;
  in_use += change;
  if (!before || !in_use)
    for (int i = 0; i < most; i++)
      if (blocks[i].at) mprotect(blocks[i].at, blocks[i].mapped, in_use ? PROT_READ | PROT_WRITE : PROT_NONE);
  pthread_mutex_unlock(&lock);
}

static int on_device(const char *at) {
  for (int i = 0; i < most; i++) if (blocks[i].at && at >= blocks[i].at && at < blocks[i].at + blocks[i].mapped) return 1;
  return 0;
}

static int index_of(const void *value) {
  for (int i = 0; i < most; i++) if (value && values[i].value == value) return i;
  return -1;
}

static void crossed(int to_host, size_t bytes) {
  standin_counts[2 * to_host]++;
  standin_counts[2 * to_host + 1] += bytes;
}

static status create_memory_info(const char *name, int kind, int id, int type, void **out) {
  status failed = TRUE_CALL(68, status (*)(const char *, int, int, int, void **))(name, kind, id, type, out);
  if (!failed && !strcmp(name, "Cuda")) put(cuda_infos, *out);
  return failed;
}

static status create_allocator(const void *session, const void *info, void **out) {
  if (!take(cuda_infos, info, 0)) return refuse("an allocator of another memory");
  if (!take(cuda_sessions, session, 0)) return refuse("the session knows no CUDA");
  *out = &token;
  return 0;
}

static void release_allocator(void *allocator) { (void)allocator; }

static status allocate(void *allocator, size_t bytes, void **out) {
  if (allocator != &token) return refuse("another allocator");
  if (standin_limit && standin_counts[5] + bytes > standin_limit) return refuse("BFCArena: Failed to allocate memory for requested buffer");
  pthread_mutex_lock(&lock);
  int i = 0;
  while (i < most && blocks[i].at) i++;
  if (i == most) abort();
  blocks[i].bytes = bytes;
  blocks[i].mapped = (bytes + 4095) / 4096 * 4096;
  blocks[i].at = mmap(0, blocks[i].mapped, in_use ? PROT_READ | PROT_WRITE : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  standin_counts[5] += bytes;
  *out = blocks[i].at;
  pthread_mutex_unlock(&lock);
  return 0;
}

static status deallocate(void *allocator, void *at) {
  (void)allocator;
  for (int i = 0; i < most; i++)
    if (blocks[i].at == at) {
      standin_counts[5] -= blocks[i].bytes;
      munmap(blocks[i].at, blocks[i].mapped);
      blocks[i].at = 0;
      return 0;
    }
  return refuse("freed twice, or never allocated");
}

static status create_value(const void *info, void *at, size_t bytes, const int64_t *shape, size_t rank, int type, void **out) {
  int device = take(cuda_infos, info, 0);
  if (device != on_device(at)) return refuse(device ? "host memory declared as the card's" : "the card's memory declared as the host's");
  void *host;
  TRUE_CALL(69, status (*)(int, int, void **))(0, 0, &host);
  status failed = TRUE_CALL(49, status (*)(const void *, void *, size_t, const int64_t *, size_t, int, void **))(host, at, bytes, shape, rank, type, out);
  TRUE_CALL(94, void (*)(void *))(host);
  if (failed) return failed;
  for (int i = 0; i < most; i++)
    if (!values[i].value) {
      values[i].value = *out;
      values[i].bytes = bytes;
      values[i].on_device = device;
      return 0;
    }
  abort();
}

static void release_value(void *value) {
  int i = index_of(value);
  if (i >= 0) values[i].value = 0;
  TRUE_CALL(96, void (*)(void *))(value);
}

static status run(void *session, const void *options, const char *const *names, const void *const *inputs, size_t count, const char *const *outs, size_t made, void **outputs) {
  if (!take(cuda_sessions, session, 0)) return refuse("the session knows no CUDA");
  if (standin_lost_at && standin_counts[4] + 1 >= standin_lost_at)
    return refuse("CUDA failure 719: unspecified launch failure ; GPU=0 ; expr=cudaStreamSynchronize(stream)");
  standin_counts[4]++;
  for (size_t i = 0; i < count; i++) {
    int at = index_of(inputs[i]);
    if (at < 0) return refuse("an input that was not made here");
    if (!values[at].on_device) crossed(0, values[at].bytes);
  }
  for (size_t i = 0; i < made; i++) {
    int at = index_of(outputs[i]);
    if (at < 0) return refuse("an output without memory of its own");
    if (!values[at].on_device) crossed(1, values[at].bytes);
  }
  open_memory(1);
  status failed = TRUE_CALL(9, status (*)(void *, const void *, const char *const *, const void *const *, size_t, const char *const *, size_t, void **))(
      session, options, names, inputs, count, outs, made, outputs);
  open_memory(-1);
  return failed;
}

static status copy_tensors(const void *env, const void *const *from, void *const *to, void *stream, size_t count) {
  (void)env, (void)stream;
  if (!registered) return refuse("no data transfer is registered");
  for (size_t i = 0; i < count; i++) {
    int source = index_of(from[i]), target = index_of(to[i]);
    if (source < 0 || target < 0 || values[source].bytes != values[target].bytes) return refuse("tensors that do not fit");
    if (values[source].on_device == values[target].on_device) return refuse("nothing crosses");
    void *read, *write;
    TRUE_CALL(51, status (*)(const void *, void **))(from[i], &read);
    TRUE_CALL(51, status (*)(const void *, void **))(to[i], &write);
    open_memory(1);
    memcpy(write, read, values[source].bytes);
    open_memory(-1);
    crossed(values[source].on_device, values[source].bytes);
  }
  return 0;
}

static status register_library(void *env, const char *name, const char *path) {
  (void)env;
  if (strcmp(name, "CUDAExecutionProvider") || !strstr(path, "libonnxruntime_providers_cuda.so")) return refuse("another provider");
  if (registered) return refuse("library is already registered");
  registered = 1;
  return 0;
}

/* One memory for all sessions: here it is that already. */
static status share(void *env, const char *provider, const void *info, const void *config, const void *keys, const void *texts, size_t count) {
  (void)env, (void)config, (void)keys, (void)texts, (void)count;
  return strcmp(provider, "CUDAExecutionProvider") || !take(cuda_infos, info, 0) ? refuse("another provider or memory") : 0;
}

static status create_options(void **out) { *out = &token; return 0; }
static void release_options(void *options) { (void)options; }

static status update_options(void *options, const char *const *keys, const char *const *texts, size_t count) {
  (void)options;
  for (size_t i = 0; i < count; i++)
    if (!strcmp(keys[i], "use_tf32") && strcmp(texts[i], "0") && strcmp(texts[i], "1")) return refuse("use_tf32 is 0 or 1");
  return 0;
}

static status append(void *options, const void *cuda) {
  const char *failure = getenv("STANDIN_APPEND_FAILS");
  if (failure) return refuse(failure);
  if (cuda != &token) return refuse("other options");
  put(cuda_options, options);
  return 0;
}

static void release_session_options(void *options) {
  take(cuda_options, options, 1);
  TRUE_CALL(100, void (*)(void *))(options);
}

static status create_session(const void *env, const void *model, size_t bytes, const void *options, void **out) {
  status failed = TRUE_CALL(8, status (*)(const void *, const void *, size_t, const void *, void **))(env, model, bytes, options, out);
  if (!failed && take(cuda_options, options, 0)) put(cuda_sessions, *out);
  return failed;
}

static void release_session(void *session) {
  take(cuda_sessions, session, 1);
  TRUE_CALL(95, void (*)(void *))(session);
}

static status config_entry(void *options, const char *key, const char *value) {
  if (!strcmp(key, "session.disable_cpu_ep_fallback")) return 0; /* the processor is the card here */
  return TRUE_CALL(130, status (*)(void *, const char *, const char *))(options, key, value);
}

static const void *get_api(uint32_t version) {
  void *library = dlopen(getenv("STANDIN_TRUTH"), RTLD_NOW);
  if (!library) { fprintf(stderr, "%s\n", dlerror()); abort(); }
  truth = (void **)((api_base * (*)(void)) dlsym(library, "OrtGetApiBase"))()->get_api(version);
  memcpy(table, truth, sizeof(void *) * 400);
  static const struct { int place; void *function; } own[] = {
      {8, create_session}, {9, run}, {49, create_value}, {68, create_memory_info}, {75, allocate}, {76, deallocate}, {95, release_session}, {96, release_value},
      {100, release_session_options}, {130, config_entry}, {131, create_allocator}, {132, release_allocator}, {204, append}, {205, create_options},
      {206, update_options}, {208, release_options}, {259, share}, {301, register_library}, {386, copy_tensors}};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) table[own[i].place] = own[i].function;
  return table;
}

static const char *version(void) {
  const char *named = getenv("STANDIN_VERSION");
  return named ? named : "1.30.0";
}

const void *OrtGetApiBase(void) {
  base.get_api = get_api;
  base.version = version;
  return &base;
}

/* The driver's library is this one, too. */
int cuInit(int flags) { (void)flags; return 0; }
