#ifndef C_VECTOR_REGISTERS_H
#define C_VECTOR_REGISTERS_H

#include <stddef.h>

/// Bytes that `broker_test_read_vector_registers` writes.
#define BROKER_TEST_REGISTER_BYTES 2048

/// Fills every vector register of the calling thread with 0xA5, calls `between`, and copies all of the registers to `output`.
void broker_test_registers_after(void (*between)(void), unsigned char *output);

/// Copies the vector registers of the calling thread to `output`; 0 where a register does not exist.
void broker_test_read_vector_registers(unsigned char *output);

/// Lets any process of the same user, and a core file, see this one; returns PR_GET_DUMPABLE in a child that called `harden`, or -1.
int broker_test_dumpable_after(int (*harden)(void));

/// Offset of the first `needle` in `bytes` (memmem(3), which is GNU's), or -1.
long broker_test_find(const void *bytes, size_t count, const void *needle, size_t needle_count);

#endif
