#define _GNU_SOURCE
#include "CProcessMemory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that may be written to, also those that are made read-only after relocation, have PF_W: their pages exist nowhere else. */
static int release_segments(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    const uintptr_t page = *(const uintptr_t *)context;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W)) continue;
        /* Whole pages only: the first and the last may be shared with a neighbour. */
        uintptr_t start = (info->dlpi_addr + header->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + header->p_vaddr + header->p_memsz) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void broker_memory_configure(void) {
    mallopt(M_ARENA_MAX, 2);
}

/* Of the program, by the linker. */
extern char __bss_start[], _end[];

void broker_memory_prepare(void) {
#ifdef MADV_POPULATE_WRITE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t start = ((uintptr_t)__bss_start + page - 1) & ~(page - 1);
    const uintptr_t end = (uintptr_t)_end & ~(page - 1);
    /* A kernel before 5.14 refuses, and nothing is lost. */
    if (end > start) madvise((void *)start, end - start, MADV_POPULATE_WRITE);
#endif
}

void broker_memory_release(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    malloc_trim(0);
    dl_iterate_phdr(release_segments, &page);
}
