#ifndef WIPING_ALLOCATOR_H
#define WIPING_ALLOCATOR_H

#include <stddef.h>

/* For OpenSSL and libcurl: malloc(3)'s memory that is overwritten when it is given back. */

void broker_wiping_free(void *memory);

void *broker_wiping_realloc(void *memory, size_t count);

#endif
