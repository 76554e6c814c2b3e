"""damper beside burn and PyTorch: python benches/compare.py, with a Python that has torch.

Runs `pytorch.py` and the bench `networks` in turn, each as a process of its own, with 1 and 2 threads, five times.
Prints a table in Markdown of the medians over the runs and writes it to `target/bench.md`.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# The greatest ratio of damper's time to PyTorch's. To burn's it is to be below 1.
GOALS = {
    "mlp-50": 0.35, "mlp-784": 0.8, "mlp-1024": 0.9, "cnn": 1.3, "lstm": 0.8, "transformer": 0.9, "dropout": 0.05,
}


def foreign_seconds():
    """How long the processors have worked for others than the programs started here; only Linux tells."""
    if not os.path.exists("/proc/stat"):
        return float("nan")
    with open("/proc/stat") as file:
        user, nice, system, _, _, *others = map(int, file.readline().split()[1:9])
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK") - own.ru_utime - own.ru_stime


def run(command, threads):
    """The seconds that a program prints: by name and arm."""
    environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}
    output = subprocess.run(command, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {(line["name"], line.get("arm", "pytorch")): line["seconds"] for line in lines}


def row(name, threads, runs):
    """One line of the table."""
    def ratio(arm):
        return statistics.median(seconds[name, "damper"] / seconds[name, arm] for seconds in runs)

    burn, pytorch, goal = ratio("burn"), ratio("pytorch"), GOALS.get(name)
    reached = burn < 1 and (goal is None or pytorch <= goal)
    milliseconds = 1e3 * statistics.median(seconds[name, "damper"] for seconds in runs)
    return (f"| {name} | {threads} | {milliseconds:.3f} | {burn:.2f} | {pytorch:.2f} | {goal or ''} "
            f"| {'yes' if reached else 'no'} |")


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--threads", type=lambda numbers: [int(n) for n in numbers.split(",")], default=[1, 2], metavar="N,N")
parser.add_argument("--only", metavar="NAME,NAME", help="some of the networks and kernels")
arguments = parser.parse_args()
only = ["--only", arguments.only] if arguments.only else []
names = arguments.only.split(",") if arguments.only else []
runs = {threads: [] for threads in arguments.threads}
disturbances = []
for turn in range(arguments.rounds):
    for threads in arguments.threads:
        print(f"round {turn + 1} of {arguments.rounds}, threads: {threads}", file=sys.stderr)
        start, foreign = time.monotonic(), foreign_seconds()
        pytorch = run([sys.executable, "pytorch.py", "--threads", str(threads), *only], threads)
        damper = run(["cargo", "bench", "--quiet", "-p", "damper-benches", "--bench", "networks", "--", *names], threads)
        runs[threads].append(pytorch | damper)
        disturbances.append((foreign_seconds() - foreign) / (time.monotonic() - start))

table = [
    f"PyTorch {importlib.metadata.version('torch')}, {os.cpu_count()} processors, medians of {arguments.rounds} rounds. "
    f"Other programs took {max(disturbances):.2f} of a processor in the worst round.",
    "",
    "| | threads | damper, ms | to burn | to PyTorch | goal | reached |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]
measured = dict.fromkeys(name for name, _ in runs[arguments.threads[0]][0])
table += [row(name, threads, runs[threads]) for name in measured for threads in arguments.threads]
target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
target.mkdir(parents=True, exist_ok=True)
(target / "bench.md").write_text("\n".join(table) + "\n")
print("\n".join(table))
