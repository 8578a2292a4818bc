#define _GNU_SOURCE
#include "CVectorRegisters.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define EACH_LOW(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)
#define EACH_HIGH(do) \
    do(16) do(17) do(18) do(19) do(20) do(21) do(22) do(23) do(24) do(25) do(26) do(27) do(28) do(29) do(30) do(31)
#define STORE_ZMM(n) __asm__ volatile("vmovdqu64 %%zmm" #n ", %0" : "=m"(*(char(*)[64])(output + 64 * n)));
#define STORE_YMM(n) __asm__ volatile("vmovdqu %%ymm" #n ", %0" : "=m"(*(char(*)[32])(output + 64 * n)));
#define STORE_XMM(n) __asm__ volatile("movdqu %%xmm" #n ", %0" : "=m"(*(char(*)[16])(output + 64 * n)));
#define LOAD_ZMM(n) __asm__ volatile("vmovdqu64 %0, %%zmm" #n : : "m"(*(const char(*)[64])pattern));
#define LOAD_YMM(n) __asm__ volatile("vmovdqu %0, %%ymm" #n : : "m"(*(const char(*)[32])pattern));
#define LOAD_XMM(n) __asm__ volatile("movdqu %0, %%xmm" #n : : "m"(*(const char(*)[16])pattern));

__attribute__((noinline, target("avx512f"))) static void store512(unsigned char *output) { EACH_LOW(STORE_ZMM) EACH_HIGH(STORE_ZMM) }
__attribute__((noinline, target("avx"))) static void store256(unsigned char *output) { EACH_LOW(STORE_YMM) }
__attribute__((noinline)) static void store128(unsigned char *output) { EACH_LOW(STORE_XMM) }
__attribute__((noinline, target("avx512f"))) static void load512(const unsigned char *pattern) { EACH_LOW(LOAD_ZMM) EACH_HIGH(LOAD_ZMM) }
__attribute__((noinline, target("avx"))) static void load256(const unsigned char *pattern) { EACH_LOW(LOAD_YMM) }
__attribute__((noinline)) static void load128(const unsigned char *pattern) { EACH_LOW(LOAD_XMM) }

static int level(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx") ? 1 : 0;
}

static void (*store(void))(unsigned char *) { return level() == 2 ? store512 : level() == 1 ? store256 : store128; }
static void (*load(void))(const unsigned char *) { return level() == 2 ? load512 : level() == 1 ? load256 : load128; }
#elif defined(__aarch64__)
#define EACH(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(16) do(17) do(18) do(19) do(20) do(21) do(22) do(23) \
    do(24) do(25) do(26) do(27) do(28) do(29) do(30) do(31)
#define STORE_V(n) __asm__ volatile("str q" #n ", %0" : "=m"(*(char(*)[16])(output + 64 * n)));
#define LOAD_V(n) __asm__ volatile("ldr q" #n ", %0" : : "m"(*(const char(*)[16])pattern));
__attribute__((noinline)) static void store128(unsigned char *output) { EACH(STORE_V) }
__attribute__((noinline)) static void load128(const unsigned char *pattern) { EACH(LOAD_V) }
static void (*store(void))(unsigned char *) { return store128; }
static void (*load(void))(const unsigned char *) { return load128; }
#endif

void broker_test_read_vector_registers(unsigned char *output) {
    /* `output` is zeroed by the caller: to do it here would change registers. */
    store()(output);
}

void broker_test_registers_after(void (*between)(void), unsigned char *output) {
    unsigned char pattern[64];
    memset(pattern, 0xA5, sizeof pattern);
    void (*const store_all)(unsigned char *) = store();
    void (*const load_all)(const unsigned char *) = load();
    load_all(pattern);
    between();
    store_all(output);
}

int broker_test_dumpable_after(int (*harden)(void)) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit core = {1, 1};
        int isHardened = harden() == 0 && getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0;
        _exit(isHardened ? prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) : 100);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

long broker_test_find(const void *bytes, size_t count, const void *needle, size_t needle_count) {
    const void *found = memmem(bytes, count, needle, needle_count);
    return found == NULL ? -1 : (const char *)found - (const char *)bytes;
}
