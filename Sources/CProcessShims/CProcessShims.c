#define _GNU_SOURCE
#include "CProcessShims.h"
#include "WipingAllocator.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void broker_memory_configure(void) {
    mallopt(M_ARENA_MAX, 2);
}

void broker_memory_give_back(void) {
    malloc_trim(0);
}

/* OpenSSL keeps private numbers, and we keep secrets, in its secure heap: one mapping that is locked where RLIMIT_MEMLOCK allows it and
   is left out of core dumps. A full heap fails an operation of OpenSSL, so the size is generous: a release of an RSA-4096 key has the
   wrapping key (4 KiB), the unwrapped PKCS#8 text (4 KiB), OpenSSL's key of it with a copy while it is made (8 KiB), its numbers and its
   JWK (8 KiB) there at once; 64 releases need 1.5 MiB, and half is kept for OpenSSL. Only pages that were used take memory. */
#define SECURE_HEAP_SIZE ((size_t)4 << 20)
#define SECURE_HEAP_SMALLEST 32
/* What is larger gets pages of its own, lest one answer of a key store fill the heap. */
#define SECURE_HEAP_LARGEST ((size_t)16 << 10)
static int argument_count;
static char **arguments;

/* glibc calls every constructor with main's arguments, also where there is no /proc to read them from. */
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

int broker_argument_count(void) {
    return argument_count;
}

const char *broker_argument(int index) {
    return index >= 0 && index < argument_count ? arguments[index] : NULL;
}

int broker_open_standard_descriptors(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        /* Those below are open, so the lowest free number, which open(2) takes, is this one. A root without /dev needs none where none is
           closed. */
        if (open("/dev/null", O_RDWR) < 0) return errno;
    }
    return 0;
}

/* OpenSSL's decoders read a private key into ordinary memory and give that back as it is: seconds after a release the key's whole PKCS#8
   text was found there. CRYPTO_set_mem_functions(3) counts only before OpenSSL's first allocation, hence the constructor. */
static void *openssl_allocate(size_t count, const char *file, int line) {
    (void)file, (void)line;
    return count == 0 ? NULL : malloc(count);
}
static void *openssl_reallocate(void *memory, size_t count, const char *file, int line) {
    (void)file, (void)line;
    return broker_wiping_realloc(memory, count);
}
static void openssl_free(void *memory, const char *file, int line) {
    (void)file, (void)line;
    broker_wiping_free(memory);
}

/* OpenSSL frees its locks in an exit handler (OPENSSL_init_crypto(3), OPENSSL_INIT_NO_ATEXIT). A background thread that is still making a
   wrapping key then crashes a process that had ended well. The option counts only in OpenSSL's first initialisation, hence the
   constructor. */
__attribute__((constructor)) static void prepare_openssl(void) {
    CRYPTO_set_mem_functions(openssl_allocate, openssl_reallocate, openssl_free);
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_HEAP_SMALLEST);
}

void *broker_secret_allocate(size_t count) {
    if (count == 0) count = 1;
    /* Half of the heap is OpenSSL's own: it fails where we can go elsewhere. */
    if (count <= SECURE_HEAP_LARGEST && CRYPTO_secure_malloc_initialized() && CRYPTO_secure_used() + count <= SECURE_HEAP_SIZE / 2) {
        void *memory = OPENSSL_secure_zalloc(count);
        if (memory != NULL) return memory;
        ERR_clear_error();
    }
    void *pages = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    madvise(pages, count, MADV_DONTDUMP);
    mlock(pages, count);
    return pages;
}

void broker_secret_free(void *memory, size_t count) {
    if (memory == NULL) return;
    if (count == 0) count = 1;
    OPENSSL_cleanse(memory, count);
    if (CRYPTO_secure_allocated(memory)) {
        OPENSSL_secure_free(memory);
    } else {
        munmap(memory, count);
    }
}

int broker_process_harden(void) {
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return errno;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno;
}

#if defined(__x86_64__)
__attribute__((noinline, target("avx512f"))) static void wipe_avx512(void) {
    __asm__ volatile(
        "vpxord %zmm16, %zmm16, %zmm16\n\t" "vpxord %zmm17, %zmm17, %zmm17\n\t" "vpxord %zmm18, %zmm18, %zmm18\n\t"
        "vpxord %zmm19, %zmm19, %zmm19\n\t" "vpxord %zmm20, %zmm20, %zmm20\n\t" "vpxord %zmm21, %zmm21, %zmm21\n\t"
        "vpxord %zmm22, %zmm22, %zmm22\n\t" "vpxord %zmm23, %zmm23, %zmm23\n\t" "vpxord %zmm24, %zmm24, %zmm24\n\t"
        "vpxord %zmm25, %zmm25, %zmm25\n\t" "vpxord %zmm26, %zmm26, %zmm26\n\t" "vpxord %zmm27, %zmm27, %zmm27\n\t"
        "vpxord %zmm28, %zmm28, %zmm28\n\t" "vpxord %zmm29, %zmm29, %zmm29\n\t" "vpxord %zmm30, %zmm30, %zmm30\n\t"
        "vpxord %zmm31, %zmm31, %zmm31\n\t"
        "kxorw %k0, %k0, %k0\n\t" "kxorw %k1, %k1, %k1\n\t" "kxorw %k2, %k2, %k2\n\t" "kxorw %k3, %k3, %k3\n\t"
        "kxorw %k4, %k4, %k4\n\t" "kxorw %k5, %k5, %k5\n\t" "kxorw %k6, %k6, %k6\n\t" "kxorw %k7, %k7, %k7");
}

/* Also clears the upper parts of zmm0 to zmm15. */
__attribute__((noinline, target("avx"))) static void wipe_avx(void) { __asm__ volatile("vzeroall"); }

__attribute__((noinline)) static void wipe_sse(void) {
    __asm__ volatile(
        "pxor %xmm0, %xmm0\n\t" "pxor %xmm1, %xmm1\n\t" "pxor %xmm2, %xmm2\n\t" "pxor %xmm3, %xmm3\n\t"
        "pxor %xmm4, %xmm4\n\t" "pxor %xmm5, %xmm5\n\t" "pxor %xmm6, %xmm6\n\t" "pxor %xmm7, %xmm7\n\t"
        "pxor %xmm8, %xmm8\n\t" "pxor %xmm9, %xmm9\n\t" "pxor %xmm10, %xmm10\n\t" "pxor %xmm11, %xmm11\n\t"
        "pxor %xmm12, %xmm12\n\t" "pxor %xmm13, %xmm13\n\t" "pxor %xmm14, %xmm14\n\t" "pxor %xmm15, %xmm15");
}
#endif

/* No vector register outlives a call in the calling convention of x86-64, so nothing needs to be saved. On arm64 the lower halves of v8 to
   v15 belong to the caller: the compiler saves and restores them because they are named as overwritten. */
__attribute__((noinline)) void broker_wipe_vector_registers(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) wipe_avx512();
    if (__builtin_cpu_supports("avx")) {
        wipe_avx();
    } else {
        wipe_sse();
    }
#elif defined(__aarch64__)
#define WIPE(n) __asm__ volatile("movi v" #n ".2d, #0" ::: "v" #n)
    WIPE(0); WIPE(1); WIPE(2); WIPE(3); WIPE(4); WIPE(5); WIPE(6); WIPE(7);
    WIPE(8); WIPE(9); WIPE(10); WIPE(11); WIPE(12); WIPE(13); WIPE(14); WIPE(15);
    WIPE(16); WIPE(17); WIPE(18); WIPE(19); WIPE(20); WIPE(21); WIPE(22); WIPE(23);
    WIPE(24); WIPE(25); WIPE(26); WIPE(27); WIPE(28); WIPE(29); WIPE(30); WIPE(31);
#undef WIPE
#endif
}
