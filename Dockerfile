# syntax=docker/dockerfile:1
# Builds with `docker build -t layerscope .`; for an NVIDIA GPU add `--build-arg TORCH=cuda`,
# for another network in the image `--build-arg NETWORK=alexnet`.

FROM python:3.11.14-slim-bookworm AS build
ARG TORCH=cpu
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
COPY requirements.txt requirements-optional.txt ./
# torch by itself first: the default index has the CUDA build, several gigabytes.
RUN torch="$(grep '^torch==' requirements.txt)" \
    && case "$TORCH" in \
        cpu) pip install --no-deps "$torch" --index-url https://download.pytorch.org/whl/cpu ;; \
        cuda) pip install "$torch" ;; \
        *) echo "TORCH is cpu or cuda, not $TORCH" >&2; exit 1 ;; \
    esac
RUN pip install -r requirements.txt \
 && { pip install --only-binary :all: -r requirements-optional.txt || true; }

FROM python:3.11.14-slim-bookworm AS runtime
ARG NETWORK=mini
RUN useradd --uid 10001 --create-home layerscope \
    && install -d -o layerscope -g layerscope /data /weights
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LAYERSCOPE_DATA=/data \
    LAYERSCOPE_WEIGHTS=/weights \
    LAYERSCOPE_MODEL=$NETWORK
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/layerscope
COPY LICENSE THIRD_PARTY_NOTICES.md ./
COPY models/ models/
COPY app/ app/
COPY templates/ templates/
COPY static/ static/
USER layerscope
# Beside the volumes, so that a volume of one's own does not hide it.
RUN python -m app weights get "$NETWORK" --into /weights
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "app", "serve", "--host", "0.0.0.0"]
