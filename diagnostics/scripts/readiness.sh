#!/bin/sh
# Reads what this machine would keep of a crash. Changes nothing, writes no file, ends within 30 s.
#use head
#use fit
now=$(date +%s)
up=$(line /proc/uptime)
up=${up%%.*}
case $up in '' | *[!0-9]*) boot= up= ;; *) boot=$((now - up)) ;; esac

#use setting os system sysctls core_path kdump

storage() { # every Storage= of the journal's configuration, with its file
  for dir in /usr/lib/systemd /usr/local/lib/systemd /run/systemd /etc/systemd; do
    for file in $dir/journald.conf $dir/journald.conf.d/*.conf; do
      [ -r "$file" ] || continue
      value=$(sed -n 's/^[[:space:]]*Storage[[:space:]]*=[[:space:]]*\([A-Za-z]*\).*/\1/p' "$file" | tail -n 1)
      [ -z "$value" ] || pair journal_storage "$file:$value"
    done
  done
}

journal_place() {
  if [ ! -d /var/log/journal ]; then echo none
  elif ! ls /var/log/journal >/dev/null; then echo unreadable
  elif ls -d /var/log/journal/*/*; then echo used
  else echo empty; fi | tail -n 1
}

room() { # NAME FOLDER: its size and what is free, in KB
  df -Pk "$2" | sed -n '2p' | {
    read -r _ size _ free _ && pair "$1_size_kb" "$size" && pair "$1_free_kb" "$free"
  }
}

readiness() {
  pair memory_kb "$(sed -n 's/^MemTotal:[^0-9]*\([0-9]*\).*/\1/p' /proc/meminfo)"
  pair collector "$(setting /etc/kdump.conf core_collector)"
  pair makedump_args "$(setting /etc/default/kdump-tools MAKEDUMP_ARGS)"
  pair dump_level "$(setting /etc/sysconfig/kdump KDUMP_DUMPLEVEL)"
  pair journald "$(if has journalctl; then echo yes; else echo no; fi)"
  storage # before the place: a run that is cut in between must not look like one without settings
  pair journal_place "$(journal_place)"
  for file in /var/log/messages /var/log/syslog; do
    [ ! -s $file ] || pair syslog "$(stat -L -c '%Y %n' $file)"
  done
  pair pstore "$(if [ -d /sys/fs/pstore ]; then echo yes; else echo no; fi)"
  pair pstore_backend "$(line /sys/module/pstore/parameters/backend)"
  pair efi "$(if [ -d /sys/firmware/efi ]; then echo yes; else echo no; fi)"
  room var /var
}

take system 4 system
take cmdline 1 line /proc/cmdline
take sysctl 2 sysctls
take kdump 6 kdump
take readiness 6 readiness
[ "$(id -u)" = 0 ] || note 'collection: not run as root, some of it may be missing'
s_collection=$notes asked_collection=1

#use part

bundle() {
  part system 2500 90
  part collection 2000 90
  part kdump 1500 90
  part cmdline 1200 90
  part sysctl 1200 90
  part readiness 3000 90
}

#use tail
