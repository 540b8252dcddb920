# shellcheck shell=bash
# Sourced by the scripts beside it: where things are, and on which ports. The environment wins.
#   WAYBILL_STATE       data, logs and pid files of the servers
#   WAYBILL_DOWNLOADS   Kafka's jars, ClickHouse's library, Prometheus; shared by all states
#   WAYBILL_*_PORT      see ports.env

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WAYBILL_STATE=$(realpath -m "${WAYBILL_STATE:-$root/.waybill}")
WAYBILL_DOWNLOADS=$(realpath -m "${WAYBILL_DOWNLOADS:-$root/.waybill/downloads}")
export WAYBILL_STATE WAYBILL_DOWNLOADS

while IFS='=' read -r name value; do
    if [[ $name == WAYBILL_* && -z ${!name:-} ]]; then export "$name=$value"; fi
done <"$root/dev/ports.env"
unset name value

# Ends the script with a message, and status 1 unless another is given.
fail() {
    echo "${0##*/}: $1" >&2
    exit "${2:-1}"
}
