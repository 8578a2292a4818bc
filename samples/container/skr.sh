#!/bin/sh
# Starts the sidecar as the original's /skr.sh does. The broker itself reads SkrSideCarArgs, Port, LogFile, LogLevel and ServerType (and the
# UVM_* variables), so that none of them passes through the shell. As there, $1 and $2 stand for the first two where those are empty; options
# go to `serve`. exec: the broker keeps this process's id, and with it the container runtime's signals and the exit status.
set -eu
case $#,${1:-} in
    0,* | *,-*) ;;
    *)
        export SkrSideCarArgs="${SkrSideCarArgs:-$1}" Port="${Port:-${2:-}}"
        [ $# -eq 1 ] || shift
        shift
        ;;
esac
exec "${BROKER:-attestation-broker}" serve "$@"
