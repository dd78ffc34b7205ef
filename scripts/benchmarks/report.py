"""Collects pairs of figures and prints their medians."""
import json
import statistics


class Report:
    def __init__(self, record=None):
        self.record = record
        self.pairs = {}

    def add(self, workload, step, peer, pair):
        """One pair: what ours cost and what the peer cost, figure by figure."""
        self.pairs.setdefault((workload, step, peer), []).append(pair)
        if self.record:
            with open(self.record, "w", encoding="utf-8") as file:
                json.dump([[*key, pairs] for key, pairs in self.pairs.items()], file, indent=1)
        ours, theirs = pair
        ratios = ", ".join(f"{name} {ours[name]:.2f}/{theirs[name]:.2f}" for name in ours if name in theirs)
        print(f"bench: {workload}, {step}, {peer}: {ratios}", flush=True)

    def markdown(self):
        lines = ["| workload | step | peer | figure | ours | peer | ratio |", "| --- | --- | --- | --- | --- | --- | --- |"]
        for (workload, step, peer), pairs in self.pairs.items():
            for figure in pairs[0][0]:
                if any(figure not in other or not other[figure] for _, other in pairs):
                    continue
                ours = statistics.median(mine[figure] for mine, _ in pairs)
                theirs = statistics.median(other[figure] for _, other in pairs)
                ratio = statistics.median(mine[figure] / other[figure] for mine, other in pairs)
                lines.append(
                    f"| {workload} | {step} | {peer} | {figure} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} |")
        return "\n".join(lines)
