# Sourced under 'sh -eux': a step of the set-up that fails ends the scenario.
# shellcheck shell=sh disable=SC1091 # the paths are those inside the machine
. /lab/guest/lab.sh
. /lab/guest/world.sh
. /lab/guest/guests.sh
. /lab/guest/alpha.sh
trap 'barrier_fail' EXIT
. /lab/scenario.sh
: >"$RESULTS/finished"
trap - EXIT
