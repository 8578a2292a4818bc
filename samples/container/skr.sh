#!/bin/sh
# Starts the sidecar as the original's /skr.sh does. The broker itself reads SkrSideCarArgs, Port, LogFile, LogLevel and ServerType (and the
# UVM_* variables), so that none of them passes through the shell. exec: the broker keeps this process's id, and with it the container
# runtime's signals and the exit status.
set -eu
exec "${BROKER:-attestation-broker}" serve "$@"
