"""Shell programs that are trials, by name: each ends, or does not end, in a way of its own."""

SAY = 'say() { echo "{\\"step\\": $1, \\"loss\\": $2}" >> "$TUNEBOOK_METRICS"; }\n'
LINGER = "sleep 600 & echo $! $$ > pids\n"
# Goes on from its own checkpoint, which counts the steps, and dies once (by $1) at step 3.
RESUMES = """
step=$(cat "$TUNEBOOK_CHECKPOINTS/step" 2>/dev/null || echo 0)
while [ $step -lt 5 ]; do
    step=$((step + 1))
    say $step 0.$step
    echo $step > "$TUNEBOOK_CHECKPOINTS/new" && mv "$TUNEBOOK_CHECKPOINTS/new" "$TUNEBOOK_CHECKPOINTS/step"
    if [ $step = 3 ] && [ $TUNEBOOK_RESUMED = 0 ]; then %s; fi
done
echo "resumed $TUNEBOOK_RESUMED" >&2
"""
PROGRAMS = {
    "arrives": 'printf "%s\\n" "$@" > arguments; env > environment; pwd > folder; say 3 0.5; echo out; echo err >&2',
    "diverges": f"{LINGER}say 1 0.5; say 2 -nan; sleep 600",
    "lacks_it": f'{LINGER}echo \'{{"step": 1, "accuracy": 0.1}}\' >> "$TUNEBOOK_METRICS"; sleep 600',
    "exits": "say 1 0.5; echo first >&2; echo 'no such file: a' >&2; echo >&2; exit 3",
    "exits_silently": "say 1 0.5; exit 70",
    "dies": "say 1 0.5; kill -SEGV $$",
    "starves": "say 1 0.5; echo 'torch.OutOfMemoryError: CUDA out of memory. Tried' >&2; exit 1",
    "says_nothing": "true",
    "breaks_a_line": 'say 1 0.5; echo oops >> "$TUNEBOOK_METRICS"; sleep 600',
    "steps_back": "say 2 0.5; say 1 0.5",
    "leaves_a_daemon": f"{LINGER}say 1 0.5",
    "hangs": f"{LINGER}say 1 0.5; trap '' TERM; sleep 600",
    "floods": "say 1 0.5; (while :; do echo flood >&2; done) & sleep 0.2; exit 3",
    "resumes": RESUMES % "kill -9 $$",
    "never_stops": RESUMES % "true",
    "waits": RESUMES % "echo $$ > mark; while :; do sleep 0.02; done",
    "wraps": """(trap 'sleep 0.5; echo 4 > "$TUNEBOOK_CHECKPOINTS/step"; exit 0' TERM
        say 3 0.3; echo $$ > mark; while :; do sleep 0.02; done) & wait""",
    "finishes_anyway": "trap 'say 9 0.9; exit 0' TERM; say 3 0.3; echo $$ > mark; while :; do sleep 0.02; done",
}
