# A throw-away PostgreSQL server: prints `ready DIRECTORY`, answers on a socket in that directory, and lives until its
# standard input ends, that is until the process at the other end of the pipe is gone, however it went.
#
# It stops the server, as a crash would, when it reads `stop`, and starts it anew when it reads `start`.
#
# $1: the folder of the programs. Needs neither a network port nor root (which initdb refuses).
set -eu
PATH="$1:$PATH"
cd /
exec 2>&1

dir=$(mktemp -d "${TMPDIR:-/tmp}/attelage-postgres.XXXXXX" 2>/dev/null || mktemp -d /tmp/attelage-postgres.XXXXXX)
server=
leave() {
    if [ -n "$server" ]; then
        kill -QUIT "$server" || true # at once, without a checkpoint
        wait "$server" || true
    fi
    rm -rf "$dir"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE

fail() {
    cat "$dir/log"
    exit 1
}
initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --lc-ctype=C.UTF-8 --no-sync >"$dir/log" || fail
cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 300
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
jit = off
CONF
launch() {
    # Our own child, so that it is waited for: one that pg_ctl starts is left to the init process, if there is a good one.
    postgres -D "$dir/data" >>"$dir/log" 2>&1 &
    server=$!
    until pg_isready -q -h "$dir"; do
        kill -0 "$server" || fail
        sleep 0.05
    done
}
launch

echo "ready $dir"
exec >/dev/null 2>&1
while read -r word; do
    case $word in
    stop)
        kill -QUIT "$server" || true
        wait "$server" || true
        server=
        ;;
    start) launch ;;
    esac
done
