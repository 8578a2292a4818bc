internal import CProcessShims

/// Overwrites the vector registers of the calling thread, where arithmetic with a key and copying of secrets leave parts of them. To be
/// called after a secret
/// was used or copied, before the thread waits for something.
public func wipeVectorRegisters() { broker_wipe_vector_registers() }
