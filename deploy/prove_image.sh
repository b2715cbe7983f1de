#!/usr/bin/env bash
# Goes through the Dockerfile's steps without a container engine: builds the same virtual environment in a fresh folder,
# serves from it as the image does, judges a message, stops, and tells what was proven. It needs root for another user
# and for a read-only root file system, and says so where it must do without.
#
#   bash deploy/prove_image.sh          # PORT=8123, PYTHON=python3.11, EXTRAS="psycopg psycopg-binary"
set -euo pipefail
cd "$(dirname "$0")/.."

PORT="${PORT:-8123}"
EXTRAS="${EXTRAS-psycopg psycopg-binary}"
USER_ID=10001
ROOT="$(mktemp -d /var/tmp/yanpan-image.XXXXXX)" # in the place of the image's /; /tmp is hidden while it serves
SERVER=

finish() {
    if [ -n "$SERVER" ] && kill -0 "$SERVER" 2> /dev/null; then kill -KILL "$SERVER"; fi
    rm -rf "$ROOT"
}
trap finish EXIT

proven() { printf 'proven: %s\n' "$*"; }
left_out() { printf 'left out: %s\n' "$*"; }
fail() {
    printf 'failed: %s\n' "$*" >&2
    if [ -s "$ROOT/log" ]; then tail -20 "$ROOT/log" >&2; fi
    exit 1
}

# The lint. A missing hadolint is told, its findings are not forgiven.
HADOLINT="$(command -v hadolint || true)"
if [ -x .venv/bin/hadolint ]; then HADOLINT=.venv/bin/hadolint; fi
if [ -n "$HADOLINT" ]; then
    "$HADOLINT" Dockerfile || fail "hadolint"
    proven "hadolint finds nothing in the Dockerfile"
else
    left_out "no hadolint here"
fi

# A Python that another user may run, too.
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3.11
    if [ "$(id -u)" = 0 ] && /usr/bin/python3.11 -c 'import ensurepip' 2> /dev/null; then PYTHON=/usr/bin/python3.11; fi
fi

# Stage `build`: the same commands.
chmod 755 "$ROOT"
mkdir -p "$ROOT/src" "$ROOT/opt/yanpan"
SOURCE="$PWD"
cd "$ROOT/src"
cp "$SOURCE"/requirements.lock "$SOURCE"/requirements-dev.lock ./
cp requirements.lock image.lock
for name in ${EXTRAS}; do
    grep -q "^${name}==" requirements-dev.lock || fail "$name is not in requirements-dev.lock"
    sed -n "/^${name}==/,/^    # via/p" requirements-dev.lock >> image.lock
done
"$PYTHON" -m venv "$ROOT"/opt/yanpan/venv
"$ROOT"/opt/yanpan/venv/bin/pip install --no-cache-dir --require-hashes -r image.lock > "$ROOT/log" || fail "the locked packages"
cp "$SOURCE"/{pyproject.toml,README.md,LICENSE} ./
cp -r "$SOURCE/service" service
cp -r "$SOURCE/training" training
"$ROOT"/opt/yanpan/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . > "$ROOT/log" || fail "the project"
proven "the virtual environment, every package by its hash, and the project in it: $("$ROOT"/opt/yanpan/venv/bin/pip list 2> /dev/null | tail -n +3 | wc -l) packages"

# The final stage. The sources go, so that nothing can be read from them.
cd "$ROOT"
cp -r src/service/policy opt/yanpan/policy
cp -r "$SOURCE/models" opt/yanpan/models
rm -rf src
chmod -R go=rX,a-w opt
install -d -m 0750 var/lib/yanpan
: > log
as_user=(env)
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
    chown "$USER_ID:$USER_ID" var/lib/yanpan
    as_user=(setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all)
    "${as_user[@]}" "$ROOT"/opt/yanpan/venv/bin/python -c pass || fail "user $USER_ID cannot run $PYTHON: name another as PYTHON"
else
    left_out "another user: needs root and setpriv"
fi
contained=(env)
if [ "$(id -u)" = 0 ] && unshare --mount mount -o remount,ro,bind / 2> /dev/null; then
    # shellcheck disable=SC2016 # $0 and $@ are the inner shell's
    contained=(unshare --mount bash -c 'set -e
        mount --bind "$0/var/lib/yanpan" "$0/var/lib/yanpan"
        mount -t tmpfs -o mode=1777,size=64m none /tmp
        mount -o remount,ro,bind /
        if touch "$0/opt/yanpan/probe" 2> /dev/null; then echo "not read-only" >&2; exit 97; fi
        exec "$@"' "$ROOT")
else
    left_out "a read-only root file system: needs root and unshare"
fi
PATH="$ROOT/opt/yanpan/venv/bin:$PATH"
image=(env -i "PATH=$PATH" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
    "YANPAN_MODELS_DIR=$ROOT/opt/yanpan/models"
    "YANPAN_POLICY_DIR=$ROOT/opt/yanpan/policy"
    "YANPAN_DATABASE_URL=sqlite:///$ROOT/var/lib/yanpan/yanpan.db"
    "YANPAN_KEYS_FILE=$ROOT/var/lib/yanpan/keys.json"
    "YANPAN_AUDIT_LOG=$ROOT/var/lib/yanpan/audit.jsonl")
cd "$ROOT/var/lib/yanpan"

# The image's command, first without a key, which it must refuse.
serve=("${contained[@]}" "${as_user[@]}" "${image[@]}" yanpan serve --host 0.0.0.0 --port "$PORT" --workers 2)
if timeout 60 "${serve[@]}" > "$ROOT/log" 2>&1; then fail "it served strangers"; fi
grep -q 'keys add' "$ROOT/log" || fail "it did not say that it wants a key"
proven "without a key it refuses to listen"
KEY="$("${contained[@]}" "${as_user[@]}" "${image[@]}" yanpan keys add proof --scope score --scope feedback --by proof 2> "$ROOT/log")" || fail "keys add"

ready() { python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$PORT/health/ready', timeout=2)" 2> /dev/null; }
if ready; then fail "another service answers on port $PORT: name another as PORT"; fi
"${serve[@]}" > "$ROOT/log" 2>&1 &
SERVER=$!
for _ in $(seq 60); do
    if ready; then break; fi
    kill -0 "$SERVER" 2> /dev/null || fail "it ended before it was ready"
    sleep 0.5
done
ready || fail "not ready after 30 seconds"
proven "/health/ready by the image's own health check"

identity="$(awk '/^(Uid|CapEff|NoNewPrivs)/ {printf "%s %s ", $1, $2}' "/proc/$SERVER/status")"
post() { # PATH BODY [IDEMPOTENCY-KEY]: the status and the answer
    python - "http://127.0.0.1:$PORT$1" "$2" "$KEY" "${3:-}" << 'PY'
import sys, urllib.request
address, body, key, once = sys.argv[1:]
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
if once:
    headers["Idempotency-Key"] = once
answer = urllib.request.urlopen(urllib.request.Request(address, body.encode(), headers), timeout=10)
print(answer.status, answer.read().decode())
PY
}
answer="$(post /v1/score '{"text": "观光车刹车失灵撞上护栏，三名游客受伤送医，现场半小时没人管！"}')" || fail "/v1/score"
grep -q '"level":"critical"' <<< "$answer" || fail "another level than critical: $answer"
proven "a message is judged critical, as in the README ($identity)"
post /v1/feedback '{"message": {"text": "路灯坏了三天没人修"}, "labels": {"intent": "complaint"}, "annotator": "proof"}' proof > "$ROOT/answer" || fail "/v1/feedback"
for file in keys.json audit.jsonl yanpan.db; do [ -s "$file" ] || fail "no $file in /var/lib/yanpan"; done
proven "keys, audit log and a correction are kept in /var/lib/yanpan"

kill -TERM "$SERVER"
status=0
wait "$SERVER" || status=$?
SERVER=
[ "$status" = 0 ] || fail "exit code $status after SIGTERM"
proven "SIGTERM ends it with exit code 0"
if [ "${contained[0]}" = unshare ]; then proven "with a read-only root file system, /tmp and /var/lib/yanpan apart"; fi
if [ -n "${EXTRAS}" ]; then
    for name in ${EXTRAS}; do python -c "import importlib.metadata as m; m.version('$name')" || fail "$name"; done
    proven "the extras are there: ${EXTRAS}"
fi
printf 'left out: the base image, and whatever a container engine does with these steps\n'
