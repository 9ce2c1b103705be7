"""Prints the catalogue as Markdown: class, case, extension, verdict; then how many there are of each."""

from tests.broken import CLASSES

print("| class | case | extension | verdict |\n|---|---|---|---|")
for kind, cases in CLASSES.items():
    for case in cases:
        verdict = case.verdict.replace("|", "\\|").replace("\x1b", r"\x1b")
        print(f"| {kind} | {case.name} | .{case.extension} | {verdict} |")
print("\n| class | cases | refused | loaded |\n|---|---|---|---|")
for kind, cases in CLASSES.items():
    refused = sum(bool(case.says) for case in cases)
    print(f"| {kind} | {len(cases)} | {refused} | {len(cases) - refused} |")
