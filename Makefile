# The few commands a newcomer needs; `make help` lists them. Each one does its own set-up first.
#   make run ARGS="--configfile config/h100.yaml"    words for the run
#   make test PYTEST_ARGS="tests/unit -q"            words for pytest
#   PYTHON=python3.12 make run                       another Python for .venv

SHELL := /bin/sh
PY := .venv/bin/python
# cargo and rustc are found where rustup puts them, also before the shell has been started anew.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup run why sweep experiments release verify test test-changes test-crashes test-dvc test-slurm test-storage test-envs test-browser test-image \
	lint format doctor bench bench-judge bench-data bench-dataset bench-plan bench-sampling bench-training report \
	advisories lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## install what is missing (.venv from requirements.lock, Rust, bubblewrap) and nothing more
	@sh tools/setup.sh

run: setup ## the whole chain: crates, training, judging, results/metrics.json and results/report.html
	@$(PY) -m scripts.run $(ARGS)

why: setup ## say why a file would be made again (TARGET=results/metrics.json); runs nothing
	@$(PY) -m scripts.why $(TARGET) $(ARGS)

sweep: setup ## the points of the profile's sweep, ranked (ARGS="--configfile config/sweep.yaml" for an example)
	@$(PY) -m scripts.run_sweep $(ARGS)

experiments: setup ## the experiments of DVC side by side, by what differs (docs/experiments.md)
	@$(PY) -m dvc exp show --only-changed $(ARGS)

release: setup ## pack the samples of a run so that others can judge them again: results/release.tar.gz
	@$(PY) -m scripts.run --target results/release.tar.gz $(ARGS)

verify: setup ## judge a release again and compare (RELEASE=its archive or folder); needs no GPU
	@$(PY) -m scripts.verify $(or $(RELEASE),results/release.tar.gz) $(ARGS)

test: setup ## all tests
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-slurm: setup ## the chain on a Slurm of two nodes on this machine, with a lost node and a pre-emption (minutes)
	@sh tools/slurm.sh
	@RUST_EXPERT_SLURM=1 $(PY) -m pytest -rs tests/clusters/test_slurm.py $(PYTEST_ARGS)

test-storage: setup ## the data part with its results in a store of objects (moto), and a plan for Kubernetes
	@sh tools/clusters.sh
	@RUST_EXPERT_STORAGE=1 $(PY) -m pytest -rs tests/clusters/test_storage.py $(PYTEST_ARGS)

test-changes: setup ## run each change of tests/workflow/test_changes.py for real (each a build)
	@RUST_EXPERT_RUN_CHANGES=1 $(PY) -m pytest tests/workflow/test_changes.py $(PYTEST_ARGS)

test-crashes: setup ## kill each rule five times, the workflow, fill the disk; the chain must end with the same bytes (long)
	@RUST_EXPERT_RUN_CRASHES=1 $(PY) -m pytest tests/workflow/test_crashes.py $(PYTEST_ARGS)

test-envs: setup ## install each environment of envs/ afresh and start its rules (gigabytes; PYTEST_ARGS="-k 'not vllm'" for less)
	@RUST_EXPERT_TEST_ENVS=1 $(PY) -m pytest tests/envs/test_fresh_environments.py $(PYTEST_ARGS)

test-image: setup ## run the steps of Dockerfile in a bare Debian (as root, with debootstrap; gigabytes)
	@sh tools/debootstrap.sh
	@RUST_EXPERT_TEST_IMAGE=1 $(PY) -m pytest tests/envs/test_image.py $(PYTEST_ARGS)

test-browser: setup ## look at the pages in a real browser; installs Chromium (apt) and axe-core (npm) where they are missing
	@sh tools/browser.sh
	@$(PY) -m pytest tests/browser $(PYTEST_ARGS)

test-dvc: setup ## each command of docs/experiments.md for real, its jobs counted
	@RUST_EXPERT_RUN_DVC=1 $(PY) -m pytest tests/workflow/test_dvc.py $(PYTEST_ARGS)

lint: setup ## style, types and workflow checks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m snakefmt --check Snakefile workflow/Snakefile rules
	@$(PY) -m snakemake --lint

format: setup ## bring the sources into the house style
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(PY) -m snakefmt Snakefile workflow/Snakefile rules

doctor: ## check the machine and print each fix; installs nothing
	@sh tools/doctor.sh $(ARGS)

bench: setup ## all speed measurements
	@$(PY) -m benchmarks $(ARGS)

bench-judge: setup ## what judging a sample costs
	@$(PY) -m benchmarks judge

bench-dataset: setup ## what a row costs from the rows of tasks to the shards
	@$(PY) -m benchmarks dataset

bench-data: setup ## what the steps from crates to rows cost, against a bare parse
	@$(PY) -m benchmarks data

bench-plan: setup ## what planning 10,000 crates and 16,400 samples costs, and the critical path (ARGS="--measured results")
	@$(PY) -m benchmarks.plan $(ARGS)

bench-sampling: setup ## what sampling a suite costs, against transformers' own generate()
	@$(PY) -m benchmarks.sampling $(ARGS)

bench-training: setup ## what a training step costs, ours against TRL's defaults (ARGS=--llama-8b on a GPU)
	@$(PY) -m benchmarks.training $(ARGS)

report: setup ## make results/report.html from what is there
	@$(PY) -m snakemake --cores all results/report.html $(ARGS)

advisories: setup ## cargo-audit, and the RustSec advisories as they are today, for corpus.advisories
	@sh tools/advisories.sh

lock: setup ## pin the packages anew from *.in (ARGS=--upgrade for the newest)
	@$(PY) -m tools.lock $(ARGS)

clean: ## delete results/ and the workflow's notes; .venv and the crate cache stay
	rm -rf results .snakemake
