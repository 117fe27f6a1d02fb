#!/bin/bash
# Run a command with a PostgreSQL of its own: tests/postgresql.sh COMMAND...
#
# The server listens on loopback alone, lies in a temporary folder, and is gone when the command ends, however it ends.
# The command finds its URL in MINGJIAN_TEST_POSTGRESQL. Where no server can be had, the command runs without that variable.
set -euo pipefail

say() { echo "tests/postgresql.sh: $*" >&2; }

newest() { ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1; }  # Debian keeps servers off the PATH

install() { # without the cluster that Debian would make, and start, for itself
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq postgresql-common < /dev/null > /dev/null &&
    sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf &&
    apt-get install -y -qq --no-install-recommends postgresql < /dev/null > /dev/null
}

bin=$(newest)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  install || say 'postgresql could not be installed'
  bin=$(newest)
fi
if [ -z "$bin" ]; then
  say 'there is no PostgreSQL, and the tests over it are skipped (Debian: apt-get install postgresql)'
  exec "$@"
fi

folder=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chown postgres "$folder"
fi
in_folder() { (cd "$folder" && ${as[@]+"${as[@]}"} "$@"); }

finish() {
  if [ -f "$folder/data/postmaster.pid" ]; then in_folder "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop > /dev/null; fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$password" > "$folder/password")
if [ "$(id -u)" = 0 ]; then chown postgres "$folder/password"; fi
# Its order of texts is not that of their bytes, as on many servers.
in_folder "$bin/initdb" -D "$folder/data" -U postgres --pwfile="$folder/password" --auth=scram-sha-256 --no-sync \
  --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=und > "$folder/made" 2>&1 ||
  { cat "$folder/made" >&2; exit 1; }
rm "$folder/password"

started=''
for _ in 1 2 3 4 5; do # somebody may take the port between the look and the start
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  if in_folder "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/log" -w start > /dev/null \
    -o "-c listen_addresses=127.0.0.1 -p $port -k '$folder' -c max_connections=200 -c shared_buffers=64MB"; then
    started=yes
    break
  fi
done
if [ -z "$started" ]; then cat "$folder/data/log" >&2; exit 1; fi

status=0
MINGJIAN_TEST_POSTGRESQL="postgresql://postgres:$password@127.0.0.1:$port/postgres" "$@" || status=$?
exit "$status"
