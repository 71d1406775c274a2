/* A stand-in for NVIDIA's libnvidia-ml.so.1, loaded by the real `pynvml`, for machines without a GPU.
 *
 * What it does is read from the environment at every call, so a test may change it while the library is in use:
 *   FAKE_NVML_GPUS       how many GPUs there are (default 1)
 *   FAKE_NVML_FAIL       error codes by function, "nvmlDeviceGetPowerUsage=3,nvmlDeviceGetName@1=15"; "@1": GPU 1 only;
 *                        "*=999" is every function
 *   FAKE_NVML_LOST       "gpu:calls": that GPU answers 15 (GPU is lost) after so many calls about it, until a new session
 *                        is begun with this variable unset
 *   FAKE_NVML_PROCESSES  "gpu:kind:pid:bytes,...", kind C (computes) or G (draws); bytes -1 is "not told"
 *   FAKE_NVML_NAME       the name of every GPU, as bytes
 *   FAKE_NVML_ABSENT     reading values are what drivers give for "unknown": all bits set
 *   FAKE_NVML_HANG       a path: every call about a device hangs while that file exists
 *   FAKE_NVML_LOG        a path: one line is appended for every session begun or ended
 *
 * Signatures and structures: https://docs.nvidia.com/deploy/nvml-api/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15, MOST_GPUS = 64 };

typedef struct device { int index; int calls; int lost; } device;
typedef struct { unsigned long long total, free, used; } memory_info;
typedef struct { unsigned int gpu, memory; } utilization;
typedef struct { unsigned int version; int sensor; int temperature; } temperature_v1;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu_instance, compute_instance; } process_info;

static device devices[MOST_GPUS];
static int sessions;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static int gpu_count(void) {
    const char *count = setting("FAKE_NVML_GPUS");
    return *count != '\0' ? atoi(count) : 1;
}

/* The code that FAKE_NVML_FAIL gives for this function and GPU (-1: none), or OK. */
static int failure(const char *function, int gpu) {
    char rules[65536], exact[160];
    char *state = NULL;
    snprintf(rules, sizeof rules, "%s", setting("FAKE_NVML_FAIL"));
    snprintf(exact, sizeof exact, "%s@%d", function, gpu);
    for (char *rule = strtok_r(rules, ",", &state); rule != NULL; rule = strtok_r(NULL, ",", &state)) {
        char *code = strchr(rule, '=');
        if (code == NULL) continue;
        *code = '\0';
        if (strcmp(rule, "*") == 0 || strcmp(rule, function) == 0 || strcmp(rule, exact) == 0) return atoi(code + 1);
    }
    return OK;
}

static void note(const char *line) {
    const char *path = setting("FAKE_NVML_LOG");
    FILE *file = *path != '\0' ? fopen(path, "a") : NULL;
    if (file == NULL) return;
    fprintf(file, "%s\n", line);
    fclose(file);
}

static int begun(const char *function) {
    if (sessions == 0) return UNINITIALIZED;
    return failure(function, -1);
}

/* What every call about a device does first. */
static int asked(device *gpu, const char *function) {
    int lost_gpu, lost_after;
    const char *hang = setting("FAKE_NVML_HANG");
    while (*hang != '\0' && access(hang, F_OK) == 0) usleep(1000);
    if (sessions == 0) return UNINITIALIZED;
    gpu->calls += 1;
    if (sscanf(setting("FAKE_NVML_LOST"), "%d:%d", &lost_gpu, &lost_after) == 2 && lost_gpu == gpu->index &&
        gpu->calls > lost_after)
        gpu->lost = 1;
    if (gpu->lost) return GPU_IS_LOST;
    return failure(function, gpu->index);
}

static int absent(void) { return *setting("FAKE_NVML_ABSENT") != '\0'; }

int nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    int code = failure("nvmlInitWithFlags", -1);
    if (code != OK) return code;
    for (int index = 0; index < MOST_GPUS; index++) devices[index] = (device){.index = index};
    sessions += 1;
    note("begin");
    return OK;
}

int nvmlShutdown(void) {
    int code = begun("nvmlShutdown");
    if (code == OK) {
        sessions -= 1;
        note("end");
    }
    return code;
}

const char *nvmlErrorString(int code) {
    (void)code;
    return "an error of the fake";
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    int code = begun("nvmlDeviceGetCount");
    if (code == OK) *count = (unsigned int)gpu_count();
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, device **gpu) {
    if (sessions == 0) return UNINITIALIZED;
    if (index >= MOST_GPUS || (int)index >= gpu_count()) return INVALID_ARGUMENT;
    int code = asked(&devices[index], "nvmlDeviceGetHandleByIndex");
    if (code == OK) *gpu = &devices[index];
    return code;
}

int nvmlDeviceGetName(device *gpu, char *name, unsigned int length) {
    int code = asked(gpu, "nvmlDeviceGetName");
    const char *given = setting("FAKE_NVML_NAME");
    if (code == OK) snprintf(name, length, "%s", *given != '\0' ? given : "NVIDIA Imaginary 4000");
    return code;
}

int nvmlDeviceGetUUID(device *gpu, char *uuid, unsigned int length) {
    int code = asked(gpu, "nvmlDeviceGetUUID");
    if (code == OK) snprintf(uuid, length, "GPU-00000000-0000-0000-0000-%012d", gpu->index);
    return code;
}

int nvmlDeviceGetMemoryInfo(device *gpu, memory_info *memory) {
    int code = asked(gpu, "nvmlDeviceGetMemoryInfo");
    if (code != OK) return code;
    memory->total = absent() ? ~0ULL : 16ULL << 30;
    memory->used = absent() ? ~0ULL : (unsigned long long)(gpu->index + 1) << 30;
    memory->free = memory->total - memory->used;
    return OK;
}

int nvmlDeviceGetUtilizationRates(device *gpu, utilization *rates) {
    int code = asked(gpu, "nvmlDeviceGetUtilizationRates");
    if (code == OK) *rates = (utilization){absent() ? ~0U : 40U + (unsigned int)gpu->index, 10};
    return code;
}

int nvmlDeviceGetTemperatureV(device *gpu, temperature_v1 *temperature) {
    int code = asked(gpu, "nvmlDeviceGetTemperatureV");
    if (code == OK) temperature->temperature = absent() ? -2147483647 : 60 + gpu->index;
    return code;
}

int nvmlDeviceGetTemperature(device *gpu, int sensor, unsigned int *temperature) {
    (void)sensor;
    int code = asked(gpu, "nvmlDeviceGetTemperature");
    if (code == OK) *temperature = absent() ? ~0U : 60U + (unsigned int)gpu->index;
    return code;
}

int nvmlDeviceGetPowerUsage(device *gpu, unsigned int *milliwatts) {
    int code = asked(gpu, "nvmlDeviceGetPowerUsage");
    if (code == OK) *milliwatts = absent() ? ~0U : 100500U + (unsigned int)gpu->index;
    return code;
}

/* Answers the number of entries with INSUFFICIENT_SIZE first, as the real one does. */
static int running(device *gpu, const char *function, char kind, unsigned int *count, process_info *processes) {
    char list[4096];
    char *state = NULL;
    unsigned int found = 0;
    int code = asked(gpu, function);
    if (code != OK) return code;
    snprintf(list, sizeof list, "%s", setting("FAKE_NVML_PROCESSES"));
    for (char *entry = strtok_r(list, ",", &state); entry != NULL; entry = strtok_r(NULL, ",", &state)) {
        int index;
        char given;
        unsigned int pid;
        long long used;
        if (sscanf(entry, "%d:%c:%u:%lld", &index, &given, &pid, &used) != 4) continue;
        if (index != gpu->index || given != kind) continue;
        if (found < *count) processes[found] = (process_info){pid, (unsigned long long)used, ~0U, ~0U};
        found += 1;
    }
    code = found > *count ? INSUFFICIENT_SIZE : OK;
    *count = found;
    return code;
}

#define RUNNING(name, kind) \
    int name(device *gpu, unsigned int *count, process_info *processes) { \
        return running(gpu, #name, kind, count, processes); \
    }

RUNNING(nvmlDeviceGetComputeRunningProcesses_v2, 'C')
RUNNING(nvmlDeviceGetComputeRunningProcesses_v3, 'C')
RUNNING(nvmlDeviceGetGraphicsRunningProcesses_v2, 'G')
RUNNING(nvmlDeviceGetGraphicsRunningProcesses_v3, 'G')
