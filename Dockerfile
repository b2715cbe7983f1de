# yanpan 研判
#
#   docker build -t yanpan .
#   docker run --rm -v yanpan:/var/lib/yanpan yanpan yanpan keys add NAME --scope score    # the first key, shown once
#   docker run -p 127.0.0.1:8000:8000 -v yanpan:/var/lib/yanpan --read-only --tmpfs /tmp \
#       --cap-drop ALL --security-opt no-new-privileges yanpan
#
# Without a key it refuses to start. It writes to /tmp and /var/lib/yanpan only: keys, audit log and corrections.
#
# The model inside cannot be changed. Whoever trains or activates models in a container copies it to the volume first:
#   docker run --rm -v yanpan:/var/lib/yanpan yanpan cp -r /opt/yanpan/models /var/lib/yanpan/models
# and runs every command with `-e YANPAN_MODELS_DIR=/var/lib/yanpan/models`.
#
# Pin the base with `--build-arg BASE=python:3.11-slim@sha256:…`. EXTRAS are further packages, by their names in
# requirements-dev.lock; `--build-arg EXTRAS=` leaves the driver for PostgreSQL out.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ARG EXTRAS="psycopg psycopg-binary"
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
RUN set -e; cp requirements.lock image.lock; \
    for name in ${EXTRAS}; do \
        grep -q "^${name}==" requirements-dev.lock || exit 1; \
        sed -n "/^${name}==/,/^    # via/p" requirements-dev.lock >> image.lock; \
    done
RUN python -m venv /opt/yanpan/venv \
    && /opt/yanpan/venv/bin/pip install --no-cache-dir --require-hashes -r image.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY training training
RUN /opt/yanpan/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
RUN groupadd --gid 10001 yanpan \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/yanpan --shell /usr/sbin/nologin yanpan \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/yanpan
COPY --from=build /opt/yanpan/venv /opt/yanpan/venv
COPY service/policy /opt/yanpan/policy
COPY models /opt/yanpan/models
ENV PATH=/opt/yanpan/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    YANPAN_MODELS_DIR=/opt/yanpan/models \
    YANPAN_POLICY_DIR=/opt/yanpan/policy \
    YANPAN_DATABASE_URL=sqlite:////var/lib/yanpan/yanpan.db \
    YANPAN_KEYS_FILE=/var/lib/yanpan/keys.json \
    YANPAN_AUDIT_LOG=/var/lib/yanpan/audit.jsonl
WORKDIR /var/lib/yanpan
VOLUME ["/var/lib/yanpan"]
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["yanpan", "serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
