/* A stand-in for the SNP firmware: a preloaded library that answers for /dev/sev-guest, /dev/sev and configfs-tsm inside one process.
 *
 * Requests are read through the kernel's own structures (linux/sev-guest.h), the 5.15 layout through
 * GuestDevice.md, "The device of 5.15 kernels". Reports are the template with the asked-for data, signed with ECDSA P-384 over the first
 * 0x2A0 bytes as the firmware signs.
 *
 *   SEV_EMULATOR_INTERFACE  sev-guest, sev-legacy or configfs-tsm: the one that is there
 *   SEV_EMULATOR_KEY        PEM of the P-384 key that signs
 *   SEV_EMULATOR_TEMPLATE   1184 bytes
 *   SEV_EMULATOR_TABLE      the host's certificate table; none when not set
 *   SEV_EMULATOR_FAULTS     what the next requests meet, in order, separated by commas: EAGAIN, EBUSY, EIO-BUSY, EIO-LENGTH, EIO-FIRMWARE, ENOTTY, EACCES (on open),
 *                           SHORT (a report of 1183 bytes), OTHER (another caller's report data), BUMP (somebody else writes to the configfs entry), HANG
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/types.h>
#include <linux/sev-guest.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define REPORT_SIZE 1184
#define SIGNED_SIZE 0x2A0
#define TSM "/sys/kernel/config/tsm/report"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char is_device[4096];
static const char *next_fault;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }
static const char *setting(const char *name) { const char *value = getenv(name); return value ? value : ""; }
static int is_interface(const char *name) { return strcmp(setting("SEV_EMULATOR_INTERFACE"), name) == 0; }

/* Takes the next fault from the list where it has that name; with NULL any fault of a request. */
static int fault(const char *name) {
    if (!next_fault) next_fault = setting("SEV_EMULATOR_FAULTS");
    size_t length = strlen(name);
    if (strncmp(next_fault, name, length) || (next_fault[length] && next_fault[length] != ',')) return 0;
    next_fault += length + (next_fault[length] == ',');
    return 1;
}

static int is_path(const char *path) {
    return (is_interface("sev-guest") && !strcmp(path, "/dev/sev-guest")) || (is_interface("sev-legacy") && !strcmp(path, "/dev/sev"));
}

/* -1 where the file cannot be opened, as when this process has no descriptors left. */
static ssize_t slurp(const char *path, unsigned char *content, size_t size) {
    FILE *file = fopen(path, "r");
    if (!file) { fprintf(stderr, "emulator: cannot read %s\n", path); return -1; }
    size_t count = fread(content, 1, size, file);
    fclose(file);
    return (ssize_t)count;
}

/* 0 or -1. */
static int make_report(const unsigned char *data, uint32_t vmpl, unsigned char *report) {
    if (slurp(setting("SEV_EMULATOR_TEMPLATE"), report, REPORT_SIZE) < 0) return -1;
    memcpy(report + 0x50, data, 64);
    if (fault("OTHER")) report[0x50] ^= 1;
    memcpy(report + 0x30, &vmpl, 4);
    FILE *file = fopen(setting("SEV_EMULATOR_KEY"), "r");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file) fclose(file);
    unsigned char der[256];
    size_t length = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!key || EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) != 1
        || EVP_DigestSign(context, der, &length, report, SIGNED_SIZE) != 1) {
        fprintf(stderr, "emulator: cannot sign\n");
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(key);
        return -1;
    }
    const unsigned char *cursor = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &cursor, (long)length);
    memset(report + SIGNED_SIZE, 0, REPORT_SIZE - SIGNED_SIZE);
    BN_bn2lebinpad(ECDSA_SIG_get0_r(signature), report + SIGNED_SIZE, 72);
    BN_bn2lebinpad(ECDSA_SIG_get0_s(signature), report + SIGNED_SIZE + 72, 72);
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return 0;
}

/* MSG_REPORT_RSP; 0 or -1. */
static int respond(unsigned char *response, const unsigned char *data, uint32_t vmpl) {
    uint32_t size = fault("SHORT") ? REPORT_SIZE - 1 : REPORT_SIZE;
    memset(response, 0, 32);
    memcpy(response + 4, &size, 4);
    return make_report(data, vmpl, response + 32);
}

static int fail(int code) { errno = code; return -1; }

/* What every request meets before the firmware sees it; 0 lets it through. */
static int meet(uint64_t *exit_info) {
    *exit_info = 0;
    if (fault("HANG")) { pthread_mutex_unlock(&lock); for (;;) pause(); }
    if (fault("EAGAIN")) return EAGAIN;
    if (fault("EBUSY")) return EBUSY;
    if (fault("ENOTTY")) return ENOTTY;
    if (fault("EIO-BUSY")) { *exit_info = (uint64_t)SNP_GUEST_VMM_ERR_BUSY << 32; return EIO; }
    if (fault("EIO-FIRMWARE")) { *exit_info = 27; return EIO; }
    return 0;
}

static int modern(unsigned long number, struct snp_guest_request_ioctl *argument) {
    if (argument->msg_version == 0) return fail(EINVAL);
    uint64_t exit_info;
    int met = meet(&exit_info);
    argument->exitinfo2 = exit_info;
    if (met) return fail(met);
    struct snp_report_req *request;
    if (number == SNP_GET_EXT_REPORT) {
        struct snp_ext_report_req *extended = (void *)(uintptr_t)argument->req_data;
        request = &extended->data;
        if (extended->certs_len % 4096 || extended->certs_len > 0x4000) return fail(EINVAL);
        static unsigned char table[0x8000];
        const char *path = setting("SEV_EMULATOR_TABLE");
        ssize_t size = *path ? slurp(path, table, sizeof table) : 0;
        if (size < 0) return fail(EIO);
        if (fault("EIO-LENGTH") || (size > (ssize_t)extended->certs_len && extended->certs_len)) {
            extended->certs_len = (uint32_t)((size + 4095) / 4096 * 4096);
            argument->exitinfo2 = (uint64_t)SNP_GUEST_VMM_ERR_INVALID_LEN << 32;
            return fail(EIO);
        }
        if (extended->certs_len && extended->certs_address) memcpy((void *)(uintptr_t)extended->certs_address, table, (size_t)size);
    } else if (number == SNP_GET_REPORT) {
        request = (void *)(uintptr_t)argument->req_data;
    } else {
        return fail(ENOTTY);
    }
    return respond(((struct snp_report_resp *)(uintptr_t)argument->resp_data)->data, request->user_data, request->vmpl) ? fail(EIO) : 0;
}

/* By hand from GuestDevice.md, "The device of 5.15 kernels": offsets in 40 bytes. */
static int legacy(unsigned long number, unsigned char *argument) {
    if (number != 0xC0285301) return fail(ENOTTY);
    uint16_t request_length, response_length;
    uint64_t request, response, exit_info;
    memcpy(&request_length, argument + 4, 2);
    memcpy(&request, argument + 8, 8);
    memcpy(&response_length, argument + 16, 2);
    memcpy(&response, argument + 24, 8);
    int met = meet(&exit_info);
    uint32_t firmware = (uint32_t)exit_info;
    memcpy(argument + 32, &firmware, 4);
    if (met) return fail(met);
    if (argument[0] != 5 || argument[1] != 6 || argument[2] != 1 || request_length != 96 || response_length < 1280) return fail(EINVAL);
    uint32_t vmpl;
    memcpy(&vmpl, (unsigned char *)(uintptr_t)request + 64, 4);
    return respond((unsigned char *)(uintptr_t)response, (unsigned char *)(uintptr_t)request, vmpl) ? fail(EIO) : 0;
}

int ioctl(int descriptor, unsigned long number, ...) {
    va_list list;
    va_start(list, number);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (descriptor >= 0 && descriptor < 4096 && is_device[descriptor] == 1) {
        pthread_mutex_lock(&lock);
        int result = is_interface("sev-guest") ? modern(number, argument) : legacy(number, argument);
        int code = errno;
        pthread_mutex_unlock(&lock);
        errno = code;
        return result;
    }
    return ((int (*)(int, unsigned long, ...))real("ioctl"))(descriptor, number, argument);
}

/* configfs-tsm: one entry at a time is enough, as the broker asks one by one. */
static struct { char path[512]; unsigned long generation; unsigned char data[64]; int has_data; uint32_t vmpl; } entry;

static const char *attribute(const char *path) {
    size_t length = strlen(entry.path);
    return length && !strncmp(path, entry.path, length) && path[length] == '/' ? path + length + 1 : NULL;
}

static int memory(const void *content, size_t size, int kind) {
    int descriptor = memfd_create("tsm", MFD_CLOEXEC);
    if (descriptor < 0) return -1;
    if (write(descriptor, content, size) != (ssize_t)size) abort();
    lseek(descriptor, 0, SEEK_SET);
    if (descriptor < 4096) is_device[descriptor] = (unsigned char)kind;
    return descriptor;
}

static int open_attribute(const char *name, int flags) {
    char text[32];
    if ((flags & O_ACCMODE) == O_WRONLY) {
        if (!strcmp(name, "inblob")) return memory("", 0, 2);
        if (!strcmp(name, "privlevel")) return memory("", 0, 3);
        return fail(EACCES);
    }
    if (!strcmp(name, "provider")) return memory("sev_guest\n", 10, 0);
    if (!strcmp(name, "generation")) return memory(text, (size_t)snprintf(text, sizeof text, "%lu\n", entry.generation), 0);
    if (!strcmp(name, "outblob")) {
        unsigned char report[REPORT_SIZE];
        uint64_t exit_info;
        int met = entry.has_data ? meet(&exit_info) : EINVAL;
        if (met) return fail(met);
        if (make_report(entry.data, entry.vmpl, report)) return fail(EIO);
        if (fault("BUMP")) entry.generation++;
        return memory(report, fault("SHORT") ? REPORT_SIZE - 1 : REPORT_SIZE, 0);
    }
    if (!strcmp(name, "auxblob")) {
        static unsigned char table[0x8000];
        const char *path = setting("SEV_EMULATOR_TABLE");
        ssize_t size = *path ? slurp(path, table, sizeof table) : 0;
        return size < 0 ? fail(EIO) : memory(table, (size_t)size, 0);
    }
    return fail(ENOENT);
}

/* A binary attribute is delivered when it is closed, and its errors are lost. */
int close(int descriptor) {
    if (descriptor >= 0 && descriptor < 4096 && is_device[descriptor]) {
        unsigned char content[128];
        ssize_t size = is_device[descriptor] > 1 ? pread(descriptor, content, sizeof content, 0) : -1;
        if (is_device[descriptor] == 2 && size == 64) { memcpy(entry.data, content, 64); entry.has_data = 1; entry.generation++; }
        if (is_device[descriptor] == 3 && size == 1) { entry.vmpl = (uint32_t)(content[0] - '0'); entry.generation++; }
        is_device[descriptor] = 0;
    }
    return ((int (*)(int))real("close"))(descriptor);
}

int mkdir(const char *path, mode_t mode) {
    if (is_interface("configfs-tsm") && !strncmp(path, TSM "/", sizeof TSM)) {
        if (fault("EACCES")) return fail(EACCES);
        if (*entry.path) return fail(EEXIST);
        memset(&entry, 0, sizeof entry);
        snprintf(entry.path, sizeof entry.path, "%s", path);
        return 0;
    }
    return ((int (*)(const char *, mode_t))real("mkdir"))(path, mode);
}

int rmdir(const char *path) {
    if (*entry.path && !strcmp(path, entry.path)) { *entry.path = 0; return 0; }
    return ((int (*)(const char *))real("rmdir"))(path);
}

static int open_any(const char *name, const char *path, int flags, mode_t mode) {
    if (is_path(path)) {
        if (fault("EACCES")) return fail(EACCES);
        int descriptor = ((int (*)(const char *, int, ...))real("open"))("/dev/null", flags);
        if (descriptor >= 0 && descriptor < 4096) is_device[descriptor] = 1;
        return descriptor;
    }
    const char *attribute_name = attribute(path);
    if (attribute_name) return open_attribute(attribute_name, flags);
    return ((int (*)(const char *, int, ...))real(name))(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_any("open64", path, flags, mode);
}

static int is_stood_in_for(const char *path, struct stat *status) {
    int is_directory = is_interface("configfs-tsm") && !strcmp(path, TSM);
    if (!is_directory && !is_path(path)) return 0;
    memset(status, 0, sizeof *status);
    status->st_mode = is_directory ? S_IFDIR | 0700 : S_IFCHR | 0600;
    return 1;
}

int stat(const char *path, struct stat *status) {
    if (is_stood_in_for(path, status)) return 0;
    return ((int (*)(const char *, struct stat *))real("stat"))(path, status);
}

int stat64(const char *path, struct stat64 *status) {
    if (is_stood_in_for(path, (struct stat *)status)) return 0;
    return ((int (*)(const char *, struct stat64 *))real("stat64"))(path, status);
}

int access(const char *path, int mode) {
    if (is_path(path) || (is_interface("configfs-tsm") && !strcmp(path, TSM)) || attribute(path)) return 0;
    return ((int (*)(const char *, int))real("access"))(path, mode);
}
