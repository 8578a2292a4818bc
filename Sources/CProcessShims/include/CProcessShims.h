#ifndef C_PROCESS_SHIMS_H
#define C_PROCESS_SHIMS_H

#include "WipingAllocator.h"

#include <stddef.h>

/// Keeps malloc to two arenas. Called once, before threads are started.
void broker_memory_configure(void);

/// Gives the system the memory that malloc keeps for later (malloc_trim(3)).
void broker_memory_give_back(void);

/// Has the kernel write no core file of this process and let no other process of the same user read its memory (prctl(2), PR_SET_DUMPABLE;
/// getrlimit(2), RLIMIT_CORE). Returns 0 or an `errno`. Afterwards only root can attach a debugger.
int broker_process_harden(void);

/// `count` zeroed bytes for a secret, out of swap where the system allows it and never in a core dump; NULL where memory runs out.
void *broker_secret_allocate(size_t count);

/// Overwrites and frees what `broker_secret_allocate` gave for the same `count`.
void broker_secret_free(void *memory, size_t count);

/// Overwrites every vector register of the calling thread.
///
/// Modular exponentiation and memcpy work in these registers and leave there what they computed or moved last. A thread that waits keeps
/// them, and so does every core and every dump of it: 2 s after a release whole numbers of a private key were found there.
void broker_wipe_vector_registers(void);

/// Puts /dev/null where descriptors 0, 1 or 2 are closed: what is opened later would get their numbers and the lines meant for them.
/// Returns 0 or an error number.
int broker_open_standard_descriptors(void);

/// How many arguments `main` was called with, the program's name included.
int broker_argument_count(void);

/// The argument of that number; NULL where there is none.
const char *broker_argument(int index);

#endif
