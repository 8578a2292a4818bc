#ifndef C_PROCESS_MEMORY_H
#define C_PROCESS_MEMORY_H

/// Keeps malloc to two arenas. Called once, before threads are started.
void broker_memory_configure(void);

/// Gives the program's zeroed data its pages now. Each that is read first and written later would cost a start two faults and an interrupt of the other cores.
void broker_memory_prepare(void);

/// Gives memory back to the system that nothing needs now: free heap, and pages of program and libraries that are mapped from files and were never written. What is
/// needed again is read from the page cache.
void broker_memory_release(void);

#endif
