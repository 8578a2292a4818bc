#define _GNU_SOURCE
#include "WipingAllocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void broker_wiping_free(void *memory) {
    if (memory == NULL) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void *broker_wiping_realloc(void *memory, size_t count) {
    if (count == 0) {
        broker_wiping_free(memory);
        return NULL;
    }
    const size_t old = memory == NULL ? 0 : malloc_usable_size(memory);
    if (count <= old) return memory;
    /* realloc(3) would leave the old bytes behind where it moves them. */
    void *larger = malloc(count);
    if (larger == NULL || memory == NULL) return larger;
    memcpy(larger, memory, old);
    broker_wiping_free(memory);
    return larger;
}
