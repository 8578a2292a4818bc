#include "CSNPDevice.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* include/uapi/linux/sev-guest.h; written out because the header of the machine that builds may be older than the one that runs. */

struct report_request {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28];
};

struct extended_report_request {
    struct report_request data;
    uint64_t certs_address;
    uint32_t certs_len;
};

struct guest_request {
    uint8_t msg_version;
    uint64_t req_data;
    uint64_t resp_data;
    uint64_t exitinfo2;
};

_Static_assert(sizeof(struct report_request) == 96, "snp_report_req");
_Static_assert(sizeof(struct extended_report_request) == 112, "snp_ext_report_req");
_Static_assert(sizeof(struct guest_request) == 32, "snp_guest_request_ioctl");

#define GET_REPORT _IOWR('S', 0, struct guest_request)
#define GET_EXTENDED_REPORT _IOWR('S', 2, struct guest_request)

static int guest_request(int descriptor, unsigned long number, void *request, uint8_t *response, uint64_t *exit_info) {
    struct guest_request argument = {
        .msg_version = 1, .req_data = (uintptr_t)request, .resp_data = (uintptr_t)response, .exitinfo2 = 0,
    };
    memset(response, 0, BROKER_REPORT_RESPONSE_SIZE);
    int failed = ioctl(descriptor, number, &argument) == 0 ? 0 : errno;
    *exit_info = argument.exitinfo2;
    return failed;
}

int broker_snp_get_report(int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint64_t *exit_info) {
    struct report_request request = {.vmpl = vmpl};
    memcpy(request.user_data, report_data, sizeof request.user_data);
    return guest_request(descriptor, GET_REPORT, &request, response, exit_info);
}

int broker_snp_get_extended_report(
    int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint8_t *certificates,
    uint32_t *certificates_size, uint64_t *exit_info) {
    struct extended_report_request request = {
        .data = {.vmpl = vmpl}, .certs_address = (uintptr_t)certificates, .certs_len = *certificates_size,
    };
    memcpy(request.data.user_data, report_data, sizeof request.data.user_data);
    memset(certificates, 0, *certificates_size);
    int failed = guest_request(descriptor, GET_EXTENDED_REPORT, &request, response, exit_info);
    *certificates_size = request.certs_len;
    return failed;
}

/* Azure's 5.15 kernels (GuestDevice.md, "The device of 5.15 kernels"). */

struct legacy_request {
    uint8_t req_msg_type;
    uint8_t rsp_msg_type;
    uint8_t msg_version;
    uint16_t request_len;
    uint64_t request_uaddr;
    uint16_t response_len;
    uint64_t response_uaddr;
    uint32_t error;
};

_Static_assert(sizeof(struct legacy_request) == 40, "sev_snp_guest_request");

#define LEGACY_REPORT _IOWR('S', 1, struct legacy_request)

int broker_snp_legacy_report(
    int descriptor, const uint8_t *report_data, uint32_t vmpl, uint8_t *response, uint32_t *firmware_error) {
    struct report_request request = {.vmpl = vmpl};
    struct legacy_request argument = {
        .req_msg_type = 5, .rsp_msg_type = 6, .msg_version = 1, .request_len = sizeof request,
        .request_uaddr = (uintptr_t)&request, .response_len = BROKER_LEGACY_RESPONSE_SIZE,
        .response_uaddr = (uintptr_t)response, .error = 0,
    };
    memcpy(request.user_data, report_data, sizeof request.user_data);
    memset(response, 0, BROKER_LEGACY_RESPONSE_SIZE);
    int failed = ioctl(descriptor, LEGACY_REPORT, &argument) == 0 ? 0 : errno;
    *firmware_error = argument.error;
    return failed;
}
