"""Before a plan: results without a record are made again. After a run: records, telemetry and the table."""

from scripts import records


def is_output(path):
    """Whether some rule makes a file."""
    return any(output.match(path) for rule in workflow.rules for output in rule.output)


def require_records():
    """Have made again what no record tells the making of: results from elsewhere, or changed by hand."""
    if not workflow.is_main_process:
        return
    remember(READ_CODE)
    if asked := os.environ.get("RUST_EXPERT_CODE"):
        Path(asked).write_text(json.dumps(CODE), encoding="utf-8")
    unknown = records.give_back(is_output)
    if unknown:
        print(
            f"{len(unknown)} files in results are not those that were recorded as made here, or have no record;"
            f" where a target needs them they are made again: {', '.join(unknown[:5])}"
            f"{', ...' if len(unknown) > 5 else ''}",
            file=sys.stderr,
        )


def finish(well):
    """What a run ends with: its figures for Prometheus, and the table. `make run` does both itself, whatever was done."""
    records.keep(CODE)
    if "RUST_EXPERT_RUN" in os.environ:
        return
    if Path("results/telemetry").is_dir():
        merge(Path("results/telemetry"))
    if well and Path("results/metrics.json").exists():
        shell("python -m scripts.table results/metrics.json")
