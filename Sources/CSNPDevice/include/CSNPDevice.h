/* The two ioctl interfaces to the SNP firmware. Swift cannot call ioctl, which is variadic. Each call returns 0 or errno. */
#ifndef BROKER_CSNPDEVICE_H
#define BROKER_CSNPDEVICE_H

#include <stdint.h>

enum {
    BROKER_REPORT_DATA_SIZE = 64,
    /* MSG_REPORT_RSP: 32 bytes of header (status, size), the report, padding. */
    BROKER_REPORT_RESPONSE_SIZE = 4000,
    BROKER_LEGACY_RESPONSE_SIZE = 1280,
    /* SEV_FW_BLOB_MAX_SIZE */
    BROKER_CERTIFICATES_MAX_SIZE = 0x4000,
};

/* SNP_GET_REPORT of linux/sev-guest.h. `exit_info` receives exitinfo2: firmware code in the low, VMM code in the high 32 bits; it means
   something on EIO only. */
int broker_snp_get_report(int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint64_t *exit_info);

/* SNP_GET_EXT_REPORT: the same with the host's certificate table. `certificates_size` is the buffer's size, a multiple of 4096, and
   receives the size that is needed. */
int broker_snp_get_extended_report(
    int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint8_t *certificates,
    uint32_t *certificates_size, uint64_t *exit_info);

/* The guest request of Azure's 5.15 kernels. `firmware_error` receives the firmware's code. */
int broker_snp_legacy_report(
    int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint32_t *firmware_error);

#endif
