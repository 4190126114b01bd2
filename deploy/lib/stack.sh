# shellcheck shell=bash
# A whole installation on this machine, in one state folder: PostgreSQL, Redis, keys, the four services. Sourced by
# deploy/quickstart.sh and tests/run.sh; usable by hand for one step:
#
#   deploy/lib/stack.sh STATE_FOLDER restart reviews
#
# Everything listens on free loopback ports that are kept in the folder, runs as a user that is not root, and is
# stopped by its process id. Needs: STACK (the folder) and STACK_BIN (where the programs are). With STACK_TLS=1 the
# services speak TLS, to each other with certificates on both sides; CA, certificates and keys are in tls/.

STACK_SERVICES="inputs actions reviews reporting"

stack_fail() {
    echo "$*" >&2
    return 1
}

# The user that runs it all: oneself, or for root the user that Debian's PostgreSQL brings.
stack_user() {
    if [ "$(id -u)" -eq 0 ]; then echo postgres; else id -un; fi
}

# stack_run COMMAND...: runs it as that user, who may have no right to be in the present folder.
stack_run() {
    if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# A port that nothing listens on, kept under a name so that a restart takes the same one.
stack_port() {
    local file="$STACK/ports/$1" port
    if [ ! -s "$file" ]; then
        while :; do
            port=$((20000 + RANDOM % 12000)) # below those that the system gives to outgoing connections
            grep -qsx "$port" "$STACK"/ports/* && continue
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        done
        echo "$port" >"$file"
    fi
    cat "$file"
}

stack_postgres_bin() {
    local newest
    newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort -V | tail -n 1)
    [ -n "$newest" ] || stack_fail "PostgreSQL is not installed: apt-get install postgresql"
    echo "$newest/bin"
}

# stack_address NAME [INSTANCE]: where that instance of a service finds the other; a test may put something in between
# by a file in via/.
stack_address() {
    cat "$STACK/via/${2:-}.$1" 2>/dev/null || echo "127.0.0.1:$(stack_port "$1")"
}

# stack_url ROLE [INSTANCE]: the database as that role.
stack_url() {
    echo "postgresql://$1:$(cat "$STACK/password")@$(stack_address postgres "${2:-}")/isms"
}

# stack_alive NAME: whether the process of that name runs. The file holds process id and start time, so that a
# number that the system gave to somebody else is not taken for ours.
stack_alive() {
    local pid started
    { read -r pid started <"$STACK/pids/$1"; } 2>/dev/null && [ -n "$started" ] &&
        [ "$(stack_started "$pid")" = "$started" ]
}

# stack_started PID: when it started; nothing if it has ended, whether or not its parent has noticed.
stack_started() {
    awk '$3 != "Z" { print $22 }' "/proc/$1/stat" 2>/dev/null
}

stack_remember() {
    echo "$2 $(stack_started "$2")" >"$STACK/pids/$1"
}

# stack_stop_one NAME [SIGNAL]: ends it and waits until it is gone; by force after 30 seconds.
stack_stop_one() {
    local pid _ tries=0
    stack_alive "$1" || { rm -f "$STACK/pids/$1"; return 0; }
    read -r pid _ <"$STACK/pids/$1"
    kill "-${2:-TERM}" "$pid" 2>/dev/null
    while stack_alive "$1"; do
        tries=$((tries + 1))
        [ "$tries" -eq 300 ] && kill -KILL "$pid" 2>/dev/null
        sleep 0.1
    done
    rm -f "$STACK/pids/$1"
}

stack_init() {
    mkdir -p "$STACK"/{ports,pids,log,keys,postgres,redis}
    chmod 755 "$STACK"
    chmod 700 "$STACK/postgres" "$STACK/redis"
    [ -s "$STACK/password" ] || (umask 077; openssl rand -hex 24 >"$STACK/password")
    # What the servers write is theirs; the programs stay root's, who runs some of them.
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres: "$STACK"/{log,keys,postgres,redis,password}; fi
}

stack_postgres_start() {
    local bin port
    bin=$(stack_postgres_bin) || return 1
    port=$(stack_port postgres)
    stack_alive postgres && return 0
    if [ ! -s "$STACK/postgres/PG_VERSION" ]; then
        stack_run "$bin/initdb" -D "$STACK/postgres" -U postgres -A scram-sha-256 --pwfile="$STACK/password" \
            --encoding=UTF8 --locale=C.UTF-8 >"$STACK/log/initdb.log" 2>&1 ||
            { stack_fail "initdb failed; see $STACK/log/initdb.log"; return 1; }
    fi
    stack_run "$bin/pg_ctl" -D "$STACK/postgres" -l "$STACK/log/postgres.log" -w -t 30 \
        -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_connections=200 \
            ${STACK_POSTGRES_OPTIONS:-}" \
        start >/dev/null || { stack_fail "PostgreSQL did not start; see $STACK/log/postgres.log"; return 1; }
    stack_remember postgres "$(stack_run head -n 1 "$STACK/postgres/postmaster.pid")"
}

# stack_standby_start: a second PostgreSQL that follows the first, which from then on waits for it at every commit.
# After `stack_standby_promote` it is the primary; the name of the first stays "postgres".
stack_standby_start() {
    local bin port
    bin=$(stack_postgres_bin) || return 1
    port=$(stack_port standby)
    stack_alive standby && return 0
    if [ ! -s "$STACK/standby/PG_VERSION" ]; then
        mkdir -p "$STACK/standby" && chmod 700 "$STACK/standby"
        if [ "$(id -u)" -eq 0 ]; then chown postgres: "$STACK/standby"; fi
        PGPASSWORD=$(cat "$STACK/password") stack_run "$bin/pg_basebackup" -D "$STACK/standby" -R -X stream -c fast \
            -d "host=127.0.0.1 port=$(stack_port postgres) user=postgres application_name=standby" || return 1
        stack_sql -d postgres -c "alter system set synchronous_standby_names = 'standby'" \
            -c "select pg_reload_conf()" >/dev/null || return 1
    fi
    stack_run "$bin/pg_ctl" -D "$STACK/standby" -l "$STACK/log/standby.log" -w -t 30 \
        -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_connections=200 \
            -c wal_retrieve_retry_interval=200ms" \
        start >/dev/null || { stack_fail "the standby did not start; see $STACK/log/standby.log"; return 1; }
    stack_remember standby "$(stack_run head -n 1 "$STACK/standby/postmaster.pid")"
}

stack_standby_promote() {
    stack_run "$(stack_postgres_bin)/pg_ctl" -D "$STACK/standby" -w -t 30 promote >/dev/null
}

# stack_sql [PSQL OPTION...]: psql as the database's administrator.
stack_sql() {
    PGPASSWORD=$(cat "$STACK/password") \
        psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(stack_port postgres)" -U postgres "$@"
}

# The roles and the empty database.
stack_database() {
    local role
    "$STACK_BIN/isms-migrate" roles | stack_sql -d postgres || return 1
    for role in isms_owner isms_jobs $(printf 'isms_%s ' $STACK_SERVICES); do
        echo "alter role $role password '$(cat "$STACK/password")';"
    done | stack_sql -d postgres || return 1
    [ "$(stack_sql -d postgres -Atc "select 1 from pg_database where datname = 'isms'")" = 1 ] ||
        stack_sql -d postgres -c "create database isms owner isms_owner"
}

stack_migrate() {
    "$STACK_BIN/isms-migrate" --database-url="$(stack_url isms_owner)" up
}

stack_redis_start() {
    local tries=0
    stack_alive redis && return 0
    # The password by stdin: the arguments of a process are everybody's to read.
    printf '%s\n' "bind 127.0.0.1" "port $(stack_port redis)" "dir $STACK/redis" 'save ""' "appendonly no" \
        "requirepass $(cat "$STACK/password")" "daemonize yes" "pidfile $STACK/redis/redis.pid" \
        "logfile $STACK/log/redis.log" | stack_run redis-server - >/dev/null
    until [ -s "$STACK/redis/redis.pid" ] && (exec 3<>"/dev/tcp/127.0.0.1/$(stack_port redis)") 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { stack_fail "Redis did not start; see $STACK/log/redis.log"; return 1; }
        sleep 0.05
    done
    stack_remember redis "$(cat "$STACK/redis/redis.pid")"
}

base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }

# stack_jwk KEY.pem KID: the public key of an Ed25519 key pair as a JWK.
stack_jwk() {
    printf '{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"%s","x":"%s"}' "$2" \
        "$(openssl pkey -in "$1" -pubout -outform DER | tail -c 32 | base64url)"
}

# One key pair a service, one of the installation, one of the identity provider that this stack plays.
stack_keys() {
    local name
    for name in $STACK_SERVICES installation oidc; do
        [ -s "$STACK/keys/$name.pem" ] ||
            (umask 077; openssl genpkey -algorithm ed25519 -out "$STACK/keys/$name.pem") || return 1
    done
    printf '{"keys":[%s]}\n' \
        "$(for name in $STACK_SERVICES; do stack_jwk "$STACK/keys/$name.pem" "$name"; echo; done | paste -sd,)" \
        >"$STACK/keys/services.jwks"
    printf '{"keys":[%s]}\n' "$(stack_jwk "$STACK/keys/oidc.pem" demo)" >"$STACK/keys/oidc.jwks"
    openssl pkey -in "$STACK/keys/installation.pem" -pubout -out "$STACK/keys/installation.pub.pem"
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres: "$STACK/keys"; fi
}

# A CA of the stack's own and a certificate a service: spiffe://demo.example/isms/NAME, on 127.0.0.1.
stack_certificates() {
    local name new="$STACK/tls/.new"
    mkdir -p "$STACK/tls"
    [ -s "$STACK/tls/ca.pem" ] ||
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=Demo CA" \
            -keyout "$STACK/tls/ca.key" -out "$STACK/tls/ca.pem" 2>/dev/null || return 1
    for name in $STACK_SERVICES; do
        [ -s "$STACK/tls/$name.pem" ] && continue
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=isms-$name" \
            -keyout "$STACK/tls/$name.key" -out "$new.csr" 2>/dev/null &&
            openssl x509 -req -in "$new.csr" -CA "$STACK/tls/ca.pem" -CAkey "$STACK/tls/ca.key" -CAcreateserial \
                -days 90 -out "$STACK/tls/$name.pem" -extfile <(printf '%s\n' "basicConstraints=critical,CA:false" \
                "subjectAltName=URI:spiffe://demo.example/isms/$name,DNS:localhost,IP:127.0.0.1") 2>/dev/null ||
            return 1
    done
    rm -f "$new.csr"
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres: "$STACK/tls"; fi
}

# stack_token SUBJECT TENANT [LIFETIME]: an access token as the identity provider would give it to that person.
stack_token() {
    local now signed input
    now=$(date +%s)
    signed="$(printf '{"alg":"EdDSA","typ":"at+jwt","kid":"demo"}' | base64url).$(printf '%s' \
        '{"iss":"https://id.demo.example","aud":"isms-review",' \
        "$(printf '"sub":"%s","tenant_id":"%s","iat":%d,"nbf":%d,"exp":%d,"auth_time":%d,"acr":"2"}' \
            "$1" "$2" "$now" "$now" $((now + ${3:-3600})) "$now")" | base64url)"
    input=$(mktemp)
    printf '%s' "$signed" >"$input"
    echo "$signed.$(openssl pkeyutl -sign -rawin -inkey "$STACK/keys/oidc.pem" -in "$input" | base64url)"
    rm -f "$input"
}

# stack_service_start INSTANCE: starts it; ready is another matter (stack_service_wait). An instance is called after its
# service, with a number where there are several: "actions", "actions-2".
stack_service_start() {
    local name=$1 service=${1%-[0-9]*} peer as_user
    stack_alive "$name" && return 0
    (
        export ISMS_LISTEN ISMS_ADMIN_LISTEN ISMS_DATABASE_URL ISMS_JOB_DATABASE_URL ISMS_REDIS_URL
        ISMS_LISTEN="127.0.0.1:$(stack_port "$name")"
        ISMS_ADMIN_LISTEN="127.0.0.1:$(stack_port "$name-admin")"
        ISMS_DATABASE_URL=$(stack_url "isms_$service" "$name")
        ISMS_JOB_DATABASE_URL=$(stack_url isms_jobs "$name")
        ISMS_REDIS_URL="redis://:$(cat "$STACK/password")@$(stack_address redis "$name")/0"
        export ISMS_DRAIN_DELAY="${STACK_DRAIN_DELAY:-0s}"
        export ISMS_SERVICE_KEY_FILE="$STACK/keys/$service.pem" ISMS_SERVICE_JWKS_FILE="$STACK/keys/services.jwks"
        export ISMS_OIDC_JWKS_FILE="$STACK/keys/oidc.jwks"
        export ISMS_OIDC_ISSUER=https://id.demo.example ISMS_OIDC_AUDIENCE=isms-review
        export ISMS_INSTALLATION_KEY_FILE="$STACK/keys/installation.pem" ISMS_SEAL_INTERVAL="${STACK_SEAL_INTERVAL:-2s}"
        for peer in $STACK_SERVICES; do
            export "ISMS_${peer^^}_ADDRESS=$(stack_address "$peer" "$name")"
        done
        if [ -n "${STACK_TLS:-}" ]; then
            export ISMS_TLS_CERTIFICATE_FILE="$STACK/tls/$name.pem" ISMS_TLS_KEY_FILE="$STACK/tls/$name.key"
            export ISMS_TLS_CLIENT_CA_FILE="$STACK/tls/ca.pem" ISMS_PEER_CA_FILE="$STACK/tls/ca.pem"
            ISMS_PEER_IDENTITIES=$(for peer in $STACK_SERVICES; do
                echo "$peer=spiffe://demo.example/isms/$peer"; done | paste -sd,)
            export ISMS_PEER_IDENTITIES
        fi
        as_user=()
        if [ "$(id -u)" -eq 0 ]; then as_user=(runuser -u postgres --); fi
        "${as_user[@]}" setsid "$STACK_BIN/isms-$service" >>"$STACK/log/$name.log" 2>&1 </dev/null &
        echo $! >"$STACK/pids/.starting"
    )
    local launcher pid='' tries=0
    launcher=$(cat "$STACK/pids/.starting")
    rm -f "$STACK/pids/.starting"
    # runuser stays as the parent: the service is its child.
    while [ -z "$pid" ]; do
        if [ "$(basename "$(readlink "/proc/$launcher/exe" 2>/dev/null)")" = "isms-$service" ]; then
            pid=$launcher
        else
            pid=$(pgrep -P "$launcher" -x "isms-$service" 2>/dev/null | head -n 1)
        fi
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { stack_fail "isms-$name did not start; see $STACK/log/$name.log"; return 1; }
        [ -n "$pid" ] || sleep 0.05
    done
    stack_remember "$name" "$pid"
}

# stack_service_wait NAME [SECONDS]: until it says that it is ready.
stack_service_wait() {
    local deadline=$((SECONDS + ${2:-30}))
    until curl -fsS -o /dev/null "http://127.0.0.1:$(stack_port "$1-admin")/readyz" 2>/dev/null; do
        stack_alive "$1" || { stack_fail "isms-$1 ended; see $STACK/log/$1.log"; return 1; }
        [ "$SECONDS" -lt "$deadline" ] || { stack_fail "isms-$1 is not ready; see $STACK/log/$1.log"; return 1; }
        sleep 0.1
    done
}

# The whole installation, up and ready.
stack_start() {
    local name
    stack_init && stack_postgres_start && stack_redis_start && stack_database &&
        stack_migrate >"$STACK/log/migrate.log" && stack_keys || return 1
    if [ -n "${STACK_TLS:-}" ]; then stack_certificates || return 1; fi
    for name in $STACK_SERVICES; do stack_service_start "$name" || return 1; done
    for name in $STACK_SERVICES; do stack_service_wait "$name" || return 1; done
}

stack_stop() {
    local name
    for name in "$STACK"/pids/{reporting,reviews,actions,inputs}* "$STACK/pids/redis"; do
        [ ! -e "$name" ] || stack_stop_one "$(basename "$name")"
    done
    for name in standby postgres; do stack_stop_one "$name" INT; done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -eu
    STACK=$1 STACK_BIN=${STACK_BIN:-$1/bin}
    case $2 in
        restart) stack_stop_one "$3" "${4:-TERM}"; stack_service_start "$3"; stack_service_wait "$3" ;;
        start)
            case $3 in
                postgres | redis | standby) "stack_$3_start" ;;
                *) stack_service_start "$3"; stack_service_wait "$3" ;;
            esac ;;
        stop) stack_stop_one "$3" "${4:-TERM}" ;;
        up) stack_start ;;
        port) stack_init; stack_port "$3" ;;
        launch) stack_service_start "$3" ;;
        down) stack_stop ;;
        promote) stack_standby_promote ;;
        token) stack_token "$3" "$4" "${5:-3600}" ;;
        *) stack_fail "usage: $0 STATE_FOLDER up | down | promote | port|launch|restart|start|stop NAME [SIGNAL] |" \
               "token SUBJECT TENANT [SECONDS]" ;;
    esac
fi
