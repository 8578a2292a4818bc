#ifndef C_ALLOCATION_COUNTER_H
#define C_ALLOCATION_COUNTER_H

#include <stdint.h>

/// How often malloc, calloc, realloc, posix_memalign, aligned_alloc and memalign were called in this process, by whatever thread.
uint64_t broker_allocation_count(void);

#endif
