# The workflow with all that it needs: docs/containers.md says how to start it, and with which switches.
FROM debian:trixie-slim

ENV RUSTUP_HOME=/opt/rustup \
    PATH=/opt/rust-expert/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The packages are a layer of their own: a change of the code fetches none of them again.
COPY requirements.lock rust-toolchain.toml /opt/rust-expert/
COPY tools /opt/rust-expert/tools
RUN sh /opt/rust-expert/tools/image.sh

COPY . /opt/rust-expert

# The judge's rooms are an ordinary user's.
RUN useradd --create-home --uid 1000 expert && install -d -o expert -g expert /run-here
USER 1000
WORKDIR /run-here
ENTRYPOINT ["snakemake", "--snakefile", "/opt/rust-expert/Snakefile"]
CMD ["--cores", "all", "results/metrics.json"]
