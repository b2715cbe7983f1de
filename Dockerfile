# yanpan 研判: docker build -t yanpan . && docker run -p 8000:8000 yanpan
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY service service
COPY training training
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e .

FROM python:3.11-slim
WORKDIR /app
RUN useradd --system --no-create-home yanpan
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY models models
USER yanpan
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["/venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready')"]
CMD ["/venv/bin/yanpan", "serve", "--host", "0.0.0.0"]
