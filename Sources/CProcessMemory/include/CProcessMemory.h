#ifndef C_PROCESS_MEMORY_H
#define C_PROCESS_MEMORY_H

/// Keeps malloc to two arenas. Called once, before threads are started.
void broker_memory_configure(void);

/// Gives memory back to the system that nothing needs now: free heap, and pages of program and libraries that are mapped from files and were never written. What is
/// needed again is read from the page cache.
void broker_memory_release(void);

#endif
