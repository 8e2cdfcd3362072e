#!/bin/sh
# Reads why this machine last went down. Changes nothing, writes no file, ends within 30 s.
# Prints one bundle of sections, packed where gzip exists.
LC_ALL=C LANG=C XZ_OPT=-T1 PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL LANG XZ_OPT PATH
exec 2>/dev/null </dev/null

ROOM=23700 # Cloud Assistant keeps 24,576 bytes and drops the middle of more
BLOCK=65536
started=$(date +%s)
deadline=$((started + 22))
notes=

note() { # SECTION: WHY
  notes="$notes$1
"
}
has() { command -v "$1" >/dev/null; }
# Not the shell's read: of a sysctl it may get the first byte only.
line() { [ -r "$1" ] && head -n 1 "$1"; }
pair() { printf '%s=%s\n' "$1" "$2"; }

if timeout -s KILL 1 true; then
  limit() { timeout -s KILL "$@"; }
else
  limit() { # the same with the shell alone
    exec 3<&0
    seconds=$1
    shift
    "$@" <&3 &
    child=$!
    (
      while [ "$seconds" -gt 0 ] && kill -0 $child; do
        sleep 1
        seconds=$((seconds - 1))
      done
      kill -9 $child
    ) >/dev/null 3<&- &
    wait $child
  }
fi

clean() { # no control characters, no endless lines, nothing that looks like our own marks
  tr -d '\000-\010\013-\037\177' | cut -b1-1200 | sed 's/^#section/ #section/; s/^#ecs-/ #ecs-/'
}

# take SECTION SECONDS COMMAND...: what COMMAND prints. Only the reader of the pipe is waited for,
# so that a command stuck on a dead disk or NFS cannot hold up the run.
take() {
  section=$1 most=$2
  shift 2
  began=$(date +%s)
  [ $((began + most)) -le $deadline ] || most=$((deadline - began))
  if [ $most -le 0 ]; then
    note "$section: not asked, the time was over"
    return
  fi
  got=$({ "$@" & } | limit $((most + 1)) cat | tail -c 1000000 | clean)
  [ $(($(date +%s) - began)) -lt $most ] || note "$section: stopped after $most s, may be cut"
  case $got in *' was too large to be unpacked --'*) note "$section: a packed log was too large, not read to its end" ;; esac
  case $got in
    '!'*) note "$section: ${got#!}" ;; # the command says why it could not ask
    *) eval "s_$section=\$got asked_$section=1" ;;
  esac
}

# fit BYTES PERCENT: the beginning (PERCENT of it) and the end of a text, in BYTES at most.
fit() {
  if has awk; then
    awk -v room="$1" -v share="$2" '
      BEGIN { head = int(room * share / 100); tail = room - head - 40; from = 1 }
      !full && used + length($0) + 1 <= head { print; used += length($0) + 1; next }
      { full = 1; kept[NR] = $0; if (!last) from = NR; last = NR; size += length($0) + 1
        while (size > tail && from <= last) {
          size -= length(kept[from]) + 1; delete kept[from]; from++; lost++ } }
      END { if (lost) print "-- " lost " lines left out --"
        for (i = from; i <= last; i++) print kept[i] }'
  else
    tail -c "$1" | sed 1d
  fi
}

# pick TAIL [MOMENT]: lines that tell (whole reports of the kernel, ends and starts of boots) and the
# last TAIL lines whatever they are. Lines wait in a ring, so memory stays small. What is dated more
# than 15 minutes after MOMENT is left out.
pick() {
  has awk || { tail -n 150; return; }
  tr -d '\000' | awk -v tail="$1" -v limit="${2:--1}" "$stamps"'
    function out(n) {
      if (mark[n]) { if (lost) print "-- " lost " lines left out --"; lost = 0; print text[n] }
      else lost++
      delete text[n]; delete mark[n] }
    limit >= 0 && (at = stamp($0)) >= 0 && apart(at, limit) > 900 { next }
    { n++; text[n] = substr($0, 1, 1200); mark[n] = after > 0; if (after > 0) after-- }
    block > 0 && (/kernel: |^[[<]|^ *[0-9]+\.[0-9]+/) {
      block--
      if (table && /\[ *[0-9]+\] +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ /) {
        row = $0; sub(/.*\[ *[0-9]+\] +/, "", row); split(row, cell, / +/)
        if (cell[4] + 0 >= 2560) mark[n] = 1; else block++ }
      else mark[n] = 1
      if (/---\[ end/) block = 0 }
    /\[ *pid *\]/ { table = 1 } /Killed process|oom-kill:/ { table = 0 }
    /Linux version [0-9]/ { for (i = n - tail; i <= n; i++) if (i in text) mark[i] = 1
      after = 25; told = limit >= 0 }
    /Kernel panic|BUG: |kernel BUG at|Oops|general protection|Unable to handle kernel|Internal error:|divide error:|invalid opcode:|double fault|soft lockup|LOCKUP|detected stall|self-detected|blocked for more than|invoked oom-killer|WARNING: |KASAN|UBSAN|KCSAN|KFENCE|Call [Tt]race|Hardware Error|[Mm]achine [Cc]heck|[Ss]ys[Rr]q|NMI/ {
      tell = 2 }
    !tell && /Out of memory|oom-kill|Killed process|oom_reaper|[Ww]atchdog|I\/O error|EXT4-fs|XFS |BTRFS|Remounting|read-only|EDAC|AER:|PCIe|mce: |nvme|timed? ?out|page allocation failure|segfault|[Pp]ower([ -][Kk]ey|-Off|ing)|reboot|Restarting system|[Ss]hut|halt|SIGTERM|SIGKILL|Journal stopped|exiting on|signal 15|Command line:|crash ?kernel|kdump|hung_task|Fatal|panic/ { tell = 1 }
    tell {
      key = $0; gsub(/[0-9a-fx]+/, "", key); if (keys > 3000) { split("", seen); keys = 0 }
      if (!(key in seen)) keys++
      if (++seen[key] <= 8 || /Kernel panic/) {
        for (i = n - 3 * (tell == 2); i <= n; i++) if (i in text) mark[i] = 1
        if (tell == 2) block = 70 }
      tell = 0 }
    { if (n > tail) out(n - tail) }
    END { for (i = n - tail + 1; i <= n; i++) if (i in text) { if (!told) mark[i] = 1; out(i) } }'
}

# Seconds in the year of a line dated "Nov 20 10:00:00" or "2026-11-20T10:00:00", else -1.
stamps='
  function stamp(l, m, o) {
    if (l ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ]/) { m = substr(l, 6, 2); o = 9 }
    else if ((m = index("JanFebMarAprMayJunJulAugSepOctNovDec", substr(l, 1, 3))) && l ~ /^... [ 0-9][0-9] [0-9][0-9]:/) {
      m = (m + 2) / 3; o = 5 }
    else return -1
    return ((m * 31 + substr(l, o, 2)) * 24 + substr(l, o + 3, 2)) * 3600 + substr(l, o + 6, 2) * 60 + substr(l, o + 9, 2) }
  function apart(a, b, x) {
    x = a - b
    if (x > 16070400) x -= 32140800
    if (x < -16070400) x += 32140800
    return x }
'

now=$(date +%s)
up=$(line /proc/uptime)
up=${up%%.*}
case $up in '' | *[!0-9]*) boot= up= ;; *) boot=$((now - up)) ;; esac
moment=-1 # of the boot, on the scale of stamp()
if [ -n "$boot" ] && has awk; then
  moment=$(date -d "@$boot" +%Y-%m-%dT%H:%M:%S | awk "$stamps { print stamp(\$0); exit }")
  case $moment in '' | *[!0-9]*) moment=-1 ;; esac
fi

setting() { # FILE KEY
  sed -n "s/^[[:space:]]*$2[= ][[:space:]]*//p" "$1" | sed 's/^["'\'']//; s/["'\''][[:space:]]*$//' | tail -n 1
}

os() { setting /etc/os-release "$1"; }

system() {
  pair hostname "$(line /proc/sys/kernel/hostname || uname -n)"
  pair kernel "$(line /proc/sys/kernel/osrelease || uname -r)"
  pair arch "$(uname -m)"
  pair boot_id "$(line /proc/sys/kernel/random/boot_id)"
  pair boot_time "$boot"
  pair now "$now"
  pair uptime_s "$up"
  pair timezone "$(date +%z)"
  pair os_id "$(os ID)"
  pair os_like "$(os ID_LIKE)"
  pair os_version "$(os VERSION_ID)"
  pretty=$(os PRETTY_NAME)
  pair os_pretty "${pretty:-$(line /etc/redhat-release || line /etc/issue)}"
  pair init "$([ -d /run/systemd/system ] && echo systemd || line /proc/1/comm)"
  pair virt "$(systemd-detect-virt || line /sys/class/dmi/id/product_name)"
  pair agent_version "$(ls /usr/local/share/aliyun-assist | grep '^[0-9][0-9.]*$' | tail -n 1)"
  pair uid "$(id -u)"
}

sysctls() {
  for key in kernel.panic kernel.panic_on_oops kernel.panic_on_warn kernel.panic_on_unrecovered_nmi \
    kernel.unknown_nmi_panic kernel.panic_on_io_nmi vm.panic_on_oom \
    kernel.hung_task_panic kernel.hung_task_timeout_secs kernel.softlockup_panic \
    kernel.hardlockup_panic kernel.panic_on_rcu_stall kernel.watchdog_thresh kernel.sysrq; do
    value=$(line "/proc/sys/$(printf %s "$key" | tr . /)") && pair "$key" "$value"
  done
}

core_path() {
  path=$(setting /etc/kdump.conf path)
  [ -n "$path" ] || path=$(setting /etc/default/kdump-tools KDUMP_COREDIR)
  [ -n "$path" ] || path=$(setting /etc/sysconfig/kdump KDUMP_SAVEDIR)
  printf %s "${path:-/var/crash}"
}

kdump() {
  service=none config=
  for name in kdump kdump-tools; do
    state=$(systemctl is-enabled $name)
    case $state in '' | not-found*) ;; *) service=$name enabled=$state; break ;; esac
    [ ! -e /etc/init.d/$name ] || { service=$name enabled=unknown; break; }
  done
  for file in /etc/kdump.conf /etc/default/kdump-tools /etc/sysconfig/kdump; do
    [ -z "$config" ] && [ -r $file ] && config=$file
  done
  active=unknown
  [ $service = none ] || active=$(systemctl is-active $service)
  case $active in active | inactive | failed) ;; *) active=unknown ;; esac
  pair service $service
  pair active $active
  pair enabled "${enabled:-unknown}"
  pair crash_size "$(line /sys/kernel/kexec_crash_size)"
  pair crash_loaded "$(line /sys/kernel/kexec_crash_loaded)"
  pair config_path "$config"
  pair core_path "$(core_path)"
  pair use_kdump "$(setting /etc/default/kdump-tools USE_KDUMP)"
  pair target "$(sed -n 's/^ *\(\(raw\|nfs\|ssh\|ext[234]\|xfs\|btrfs\) .*\)/\1/p' /etc/kdump.conf | tail -n 1)"
  space=$(core_path)
  while [ ! -d "$space" ] && [ -n "$space" ]; do space=${space%/*}; done
  pair space_free_kb "$(df -Pk "${space:-/}" | sed -n '2p' | awk '{ print $4 }')"
}

crash_files() { # PATTERNS..., wherever dumps are kept
  for dir in /var/crash $( [ "$(core_path)" = /var/crash ] || core_path); do
    for pattern; do
      ls -d $dir/$pattern $dir/*/$pattern $dir/*/*/$pattern
    done
  done | sort -u | head -n 200
}

dumps() {
  need stat || return
  [ -r /var/crash ] || [ ! -d /var/crash ] || { echo '!/var/crash is not readable'; return; }
  crash_files vmcore 'vmcore[.-]*' 'dump.*' | grep -v 'dmesg' | while IFS= read -r file; do
    [ -f "$file" ] && stat -L -c '%Y %s %n' "$file"
  done | sort -rn | head -n 20
}

# Anybody may write to /var/crash of some systems: a link there, or a file in a folder of somebody
# else, could make root read out what is not theirs.
own() { [ "$(id -u)" != 0 ] || { [ ! -h "$1" ] && [ -O "$1" ] && [ -O "${1%/*}" ]; }; }

newest() { # of the files named on standard input, our own before all others
  while IFS= read -r file; do
    [ -f "$file" ] || continue
    if own "$file"; then stat -L -c '%Y %n' "$file"; else echo "0 $file"; fi
  done | sort -rn | sed -n '1s/^[0-9]* //p'
}

end_of() { # FILE LINES
  [ -n "$1" ] || return
  [ -r "$1" ] || { echo "!$1 is not readable"; return; }
  own "$1" || { echo "!$1 is not root's own, not read"; return; }
  echo "# $1"
  limit "$most" tail -c 400000 "$1" | pick "$2"
}

vmcore_dmesg() { end_of "$(crash_files 'vmcore-dmesg*' 'dmesg.*' | newest)" 220; }

pstore() {
  [ ! -d /sys/fs/pstore ] || ls /sys/fs/pstore >/dev/null || { echo '!/sys/fs/pstore is not readable'; return; }
  end_of "$(ls -d /sys/fs/pstore/dmesg-* /sys/fs/pstore/console-* /var/lib/systemd/pstore/*dmesg* \
    /var/lib/systemd/pstore/*/*dmesg* | head -n 100 | newest)" 150
}

journal() { limit "$most" journalctl --no-pager -q -o short-iso "$@"; }
also() { printf '+ SYSLOG_IDENTIFIER=%s ' "$@"; }
need() { has "$1" || { echo "!$1 is not installed"; return 1; }; }

boots() {
  need journalctl || return
  limit "$most" journalctl --no-pager -q --list-boots | tail -n 12
}

journal_previous() {
  need journalctl || return
  {
    journal -b -1 -n 60
    echo '== and the kernel and who stops machines, from further back'
    journal -b -1 -n 3000 _TRANSPORT=kernel + _PID=1 $(also systemd-logind systemd-shutdown shutdown)
  } | if has awk; then
    awk '
      /^== and the kernel and who/ { further = 1; next }
      !further { end[++n] = $0; there[$0] = 1; next }
      !($0 in there)
      END { for (i = 1; i <= n; i++) print end[i] }'
  else sed '/^== and/,$d'; fi | pick 60
}

journal_current() {
  need journalctl || return
  journal -b 0 | head -n 50
  echo '-- errors of this boot --'
  journal -b 0 -p 3 -n 40
}

# around FILE BLOCKS: the log FILE, or a rotated one, near the moment of the boot. Plain files are
# entered by bisection, so that gigabytes cost as much as kilobytes.
around() {
  base=$1 blocks=$2
  if [ "$moment" -lt 0 ]; then
    limit "$most" tail -c 1000000 "$base"
    return
  fi
  ulimit -v 60000 # a line, or the window of a packer, may be of any size
  newer= list=$(ls -td "$base" "$base"[.-]* | head -n 12)
  while [ -n "$list" ]; do
    file=${list%%"
"*} older=${list#*"
"}
    [ "$older" != "$list" ] || older=
    list=$older
    [ -f "$file" ] || continue
    ! packer "$file" || left || { too_large "$file"; break; }
    if from "$file" 0 | begins_before 0; then
      if packer "$file"; then packed "$file" && return
      else
        entered "$file" "${older%%"
"*}"
        return
      fi
    fi
    newer=$file
  done
  limit "$most" tail -c 200000 "$base" # no log reaches back to the boot
}

packer() { # FILE: what unpacks it
  case $1 in
    *.gz) tool=gzip ;;
    *.xz) tool=xz ;;
    *.bz2) tool=bzip2 ;;
    *.zst) tool=zstd ;;
    *) return 1 ;;
  esac
}

left() { # seconds in which something may be unpacked, so that all of it together stays short
  rest=$((began + most - 1))
  [ $rest -le $((started + 6)) ] || rest=$((started + 6))
  rest=$((rest - $(date +%s)))
  [ $rest -gt 0 ]
}

unpack() { # FILE
  packer "$1"
  left && limit $rest $tool -dc "$1"
}

# A crash may leave megabytes of zeros in a log, and a program a line without an end.
from() { # FILE BLOCK
  if packer "$1"; then unpack "$1" | head -c 16000000; else dd if="$1" bs=$BLOCK skip="$2" count=250; fi |
    tr -d '\000' | cut -b1-1200
}

end() { # FILE
  if packer "$1"; then unpack "$1" | tail -c 1000000; else tail -c 1000000 "$1"; fi
}

begins_before() { # NUMBER: is the first dated line of what follows there from before the boot?
  awk -v boot="$moment" -v skip="$1" "$stamps"'
    (NR > 1 || !skip) && (at = stamp($0)) >= 0 { before = apart(at, boot) <= 0; exit }
    END { exit !before }'
}

entered() { # FILE OLDER
  size=$(ls -Lln "$1" | awk '{ print $5 }')
  low=0 high=$((size / BLOCK + 1))
  while [ $((high - low)) -gt 1 ]; do
    middle=$(((low + high) / 2))
    if from "$1" $middle | begins_before $middle; then low=$middle; else high=$middle; fi
  done
  low=$((high - blocks))
  if [ $low -lt 0 ]; then
    low=0
    [ -z "$2" ] || end "$2"
  fi
  dd if="$1" bs=$BLOCK skip=$low count=$((high - low))
  from "$1" $high | head -c 300000
  [ $high -le $((size / BLOCK)) ] || start_of_newer
}

start_of_newer() { [ -z "$newer" ] || from "$newer" 0 | head -c 300000; }

# near FILE SECONDS STEP FORM: its lines of so long before the boot and of 2 minutes after it. Looked
# for by coarse times as plain words: with patterns, small systems need a minute for a gigabyte.
near() {
  times= at=$((boot - $2))
  while [ $at -le $((boot + $3)) ]; do
    hour=$(date -d "@$at" "+$4")
    times="$times
$(date -d "@$at" "+%b %e ${hour%?}%n%Y-%m-%dT${hour%?}%n%Y-%m-%d ${hour%?}")"
    at=$((at + $3))
  done
  unpack "$1" | tr -d '\000' | { grep -a -F "${times#?}" || [ $? = 1 ] || too_large "$1"; } |
    awk -v boot="$moment" -v before="$2" "$stamps"'
    / was too large to be unpacked --$/ { print; next }
    (at = stamp($0)) < 0 || (gap = apart(at, boot)) < -before { next }
    gap > 120 || gap > 0 && (after += length($0)) > 400000 { if (seen) exit; next }
    { seen = 1; print }' | tail -c 2000000
}

too_large() { echo "-- $1 was too large to be unpacked --"; }

packed() { # FILE
  if [ "$(stat -L -c %Y "$1")" -lt "$boot" ]; then # rotated between the end and the boot
    end "$1"
    start_of_newer
    return
  fi
  lines=$(near "$1" 1200 600 %H:%M)
  printf '%s\n' "$lines" | begins_before 0 || lines=$(near "$1" 86400 3600 %H:%%)
  [ -z "$lines" ] || printf '%s\n' "$lines"
  left || too_large "$1"
  [ -n "$lines" ] || [ $rest -le 0 ]
}

messages() {
  for file in $(ls -t /var/log/messages /var/log/syslog) /var/log/kern.log; do
    [ -f "$file" ] && [ -r "$file" ] && break
    file=
  done
  [ -n "$file" ] || { echo '!no readable /var/log/messages or /var/log/syslog'; return; }
  around "$file" 64 | pick 60 "$moment"
}

asks='reboot|shutdown|poweroff|halt|init [06]|telinit|kexec|sysrq|rundown|Power|power|System is'
who() {
  has journalctl && journal -b -1 -n 400 _COMM=init $(also sudo su systemd-logind shutdown CROND CRON \
    atd acpid polkitd aliyun-service) |
    grep -E "$asks" | tail -n 20 | sed 's/^/journal: /'
  [ -r /var/log/audit/audit.log ] && limit 3 tail -c 4000000 /var/log/audit/audit.log |
    grep -a -E 'type=SYSTEM_(SHUTDOWN|BOOT|RUNLEVEL)|exe="[^"]*/(shutdown|reboot|halt|poweroff|systemctl)"|key="?(reboot|shutdown|power)' |
    tail -n 12 | sed 's/^/audit: /'
  for file in /var/log/secure /var/log/auth.log /var/log/cron /var/log/cron.log; do
    [ -f $file ] && [ -r $file ] && around $file 24 | grep -a -E "$asks" | tail -n 15 | sed "s|^|${file##*/}: |"
  done
}

history() { # never a line of it: only how often it names what stops machines
  printf '%s\n' /root/.*_history /home/*/.*_history | head -n 40 | while IFS= read -r file; do
    [ -f "$file" ] || continue
    [ -r "$file" ] || { echo "unreadable $file:0"; continue; }
    for word in sysrq-trigger shutdown reboot poweroff; do
      count=$(tail -c 1000000 "$file" | grep -a -c -e $word)
      [ "${count:-0}" -eq 0 ] || echo "$word $file:$count"
    done
  done | head -n 40
}

last_logins() {
  need last || return
  table=$(limit "$most" last -x -F -n 60)
  [ -n "$table" ] || table=$(limit "$most" last | head -n 60)
  printf '%s\n' "$table"
}

kernel_log() {
  need dmesg || return
  text=$(limit "$most" dmesg | tail -c 1500000 | pick 25)
  [ -n "$text" ] || { echo '!dmesg gave nothing, perhaps it is reserved to root'; return; }
  printf '%s\n' "$text"
}

for tool in awk gzip base64 timeout stat journalctl last dmesg systemctl; do
  has $tool || note "tools: $tool is not installed"
done
for kind in gz:gzip xz:xz bz2:bzip2 zst:zstd; do
  tool=${kind#*:}
  has $tool || ! ls /var/log/*."${kind%:*}" >/dev/null || note "messages: some logs are packed by $tool, which is not installed"
done
take system 4 system
take cmdline 1 line /proc/cmdline
take sysctl 2 sysctls
take kdump 4 kdump
take dumps 3 dumps
take vmcore_dmesg 4 vmcore_dmesg
take pstore 3 pstore
take boots 4 boots
take journal_previous 6 journal_previous
take last 3 last_logins
take messages 7 messages
take who 4 who
take dmesg 3 kernel_log
take journal_current 4 journal_current
take history 2 history
case $s_boots in
  *-1\ *) ;;
  *) [ -n "$s_journal_previous" ] || [ -z "$asked_journal_previous" ] || {
    asked_journal_previous=
    note 'journal_previous: the journal keeps no boot before this one'
  } ;;
esac
[ "$(id -u)" = 0 ] || note 'collection: not run as root, logs may be missing'
s_collection=$notes asked_collection=1

# part SECTION BYTES SHARE: one section within its budget.
part() {
  eval "text=\$s_$1 asked=\$asked_$1"
  [ -n "$asked" ] || return
  room=$(($2 * percent / 100))
  [ "$2" -gt 4000 ] || room=$(($2 * percent / 25))
  [ $room -le "$2" ] || room=$2
  echo "#section $1"
  if [ ${#text} -le $room ]; then
    [ -z "$text" ] || printf '%s\n' "$text"
  else
    printf '%s\n' "$text" | fit $room "$3"
  fi
}

bundle() { # the most telling first: the head survives a cut on the way
  part system 2500 90
  part collection 2000 90
  part kdump 1500 90
  part cmdline 1200 90
  part sysctl 1200 90
  part dumps 2500 95
  part history 2000 90
  part vmcore_dmesg 30000 10
  part pstore 16000 10
  part journal_previous 36000 25
  part boots 2000 10
  part last 6000 90
  part who 6000 30
  part messages 26000 15
  part dmesg 14000 40
  part journal_current 8000 60
}

form=plain
has gzip && has base64 && [ "$(printf ok | gzip -9c | base64 | base64 -d | gzip -dc)" = ok ] && form=gzip
pack() {
  if [ $form = gzip ]; then gzip -9c | base64 | grep -n ''; else tr -cd '\011\012\040-\176'; fi
}
percent=100
while :; do
  text=$(bundle)
  [ $form = gzip ] || text=$(printf '%s\n' "$text" | pack)
  sum=$(printf '%s\n' "$text" | cksum)
  if [ -n "$sum" ]; then sum="bytes=${sum#* } cksum=${sum%% *}"; else sum="bytes=$(printf '%s\n' "$text" | wc -c)"; fi
  body=$(printf '%s\n' "$text" | pack)
  [ ${#body} -gt $ROOM ] && [ $percent -gt 1 ] || break
  percent=$((percent * ROOM / ${#body} * 92 / 100))
  [ $percent -gt 0 ] || percent=1
done
seconds=$(($(date +%s) - started))
printf '#ecs-bundle 1 linux %s\n%s\n#ecs-end %s seconds=%s\n' \
  $form "$body" "$sum" "$seconds"
