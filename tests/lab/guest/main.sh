#!/bin/sh
# Runs the scenario of this machine and writes its verdict, one line: 'PASS n checks' or 'FAIL reason'.
results=/lab/results
cd /lab || exit 1
install -m 755 guest/pve/* /usr/sbin/
ln -sf /usr/sbin/kvm /usr/bin/kvm
# As PVE ships it.
sed -i 's,^devices {,devices {\n\tglobal_filter=["r|/dev/zd.*|","r|/dev/rbd.*|"],' /etc/lvm/lvm.conf
rm -f "$results/reboot" "$results/finished"

sh -eux guest/scenario-start.sh 2>&1
status=$?
if grep -q '^FAILED' "$results/checks" 2>/dev/null; then
    verdict="FAIL $(sed -n 's/^FAILED //p' "$results/checks" | head -n 1) ($(grep -c ^FAILED "$results/checks") failed)"
elif [ -e "$results/reboot" ]; then
    verdict="to be continued after a boot"
elif [ ! -e "$results/finished" ]; then
    verdict="FAIL stopped with status $status at: $(cat "$results/step")"
elif [ ! -s "$results/checks" ]; then
    verdict="FAIL nothing was checked"
else
    verdict="PASS $(wc -l <"$results/checks") checks"
fi
case $verdict in
FAIL*) rm -f "$results/reboot" ;;
esac
[ -e "$results/reboot" ] || echo "$verdict" >"$results/verdict"
echo "lab: $verdict"
dmesg | grep -iE 'oops|BUG:|hung task|I/O error' | tail -n 20
