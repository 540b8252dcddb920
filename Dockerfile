# syntax=docker/dockerfile:1
# The one image of every processor and command: `docker build -t waybill .`

# The version is rust-version of Cargo.toml.
FROM rust:1.89-slim-bookworm AS build
# librdkafka is compiled here, against OpenSSL and zlib.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ make pkg-config libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The caches keep a second build short; what is wanted of it is taken out before they are unmounted.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package waybill \
    && strip --strip-debug -o /usr/local/bin/waybill target/release/waybill

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/waybill \
        --shell /usr/sbin/nologin waybill \
    # A new volume takes owner and mode from here.
    && install --directory --owner=waybill --group=waybill --mode=0700 \
        /var/lib/waybill /var/lib/waybill/keys /var/lib/waybill/carriers /var/lib/waybill/simulated \
        /var/lib/waybill/public /var/lib/waybill/granted \
        /var/lib/waybill/granted/decrypt /var/lib/waybill/granted/validate /var/lib/waybill/granted/enrich \
        /var/lib/waybill/granted/aggregate /var/lib/waybill/granted/clickhouse \
        /var/lib/waybill/granted/gateway /var/lib/waybill/gateway \
        /var/lib/waybill/granted/webhooks /var/lib/waybill/webhooks
COPY --from=build /usr/local/bin/waybill /usr/local/bin/waybill
# Whose data is in the binary is named wherever it is passed on.
COPY LICENSE NOTICE /usr/share/doc/waybill/
USER 10001:10001
WORKDIR /var/lib/waybill
EXPOSE 9600
# The host's name is unique among replicas, and stays over a restart of the container: the process
# then has its partitions back at once, and ends the transaction that it left open.
ENTRYPOINT ["/bin/sh", "-c", "export WAYBILL_INSTANCE=\"${WAYBILL_INSTANCE:-$(hostname)}\"; exec waybill \"$@\"", "waybill"]
CMD ["--help"]
