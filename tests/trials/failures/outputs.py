"""What programs print when they fail, with what launchers and trackers add; each with the line that counts."""

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 9, in <module>
    main()
  File "train.py", line 5, in main
    x = row["val_acc"]
        ~~~^^^^^^^^^^^
KeyError: 'val_acc'
"""
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.2 GiB"
MISSING = (
    "ModuleNotFoundError: No module named 'flash_attention_with_a_name_that_goes_on_and_on.kernels.rotary_embedding'"
)
AT = 'Traceback (most recent call last):\n  File "train.py", line 9, in <module>\n    main()\n'
HYDRA = "Error executing job with overrides: ['lr=0.1']\n"
HINT = "\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n"
ELASTIC = """E1130 01:00:00.000000 12 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1)
Traceback (most recent call last):
  File "/opt/venv/bin/torchrun", line 8, in <module>
    sys.exit(main())
  File "/opt/venv/lib/python3.11/site-packages/torch/distributed/launcher/api.py", line 264, in launch_agent
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
------------------------------------------------------------
Failures:
  <NO_OTHER_FAILURES>
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-01-01_12:00:00
  host      : node7
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 4242)
  error_file: <N/A>
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================
"""
CALLED = """Traceback (most recent call last):
  File "/opt/venv/bin/accelerate", line 8, in <module>
    sys.exit(main())
  File "/opt/venv/lib/python3.11/site-packages/accelerate/commands/launch.py", line 763, in simple_launcher
    raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
subprocess.CalledProcessError: Command '['python', 'train.py']' returned non-zero exit status 1.
"""
WANDB = """wandb: 
wandb: 🚀 View run lucky-sun-3 at: https://wandb.ai/x
wandb: Find logs at: ./wandb/run-20260301_1200-a1b2c3d4/logs
"""
IGNORED = """Exception ignored in: <function Loader.__del__ at 0x7f12>
Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1604, in __del__
    self._shutdown_workers()
AttributeError: 'NoneType' object has no attribute 'is_alive'
"""
LABELLED = "".join(f"[rank1]: {line}\n" for line in TRACEBACK.splitlines())
HEAD, *REST = TRACEBACK.splitlines()
MIXED = "\n".join(["[rank0]: " + HEAD, "[rank1]: " + HEAD] + [f"[rank{i}]: {line}" for line in REST for i in (0, 1)])
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "train.py", line 3, in <module>
  |     raise ExceptionGroup("workers", [KeyError("val_acc")])
  | ExceptionGroup: workers (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "train.py", line 2, in load
    |     row["val_acc"]
    | KeyError: 'val_acc'
    +------------------------------------
"""
RECORDED = ELASTIC.replace(
    "To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html",
    "Traceback (most recent call last):\n    File \"train.py\", line 5, in main\n      x = 1\n  KeyError: 'val_acc'",
)
WORKER = """Traceback (most recent call last):
  File "train.py", line 20, in <module>
    for batch in loader:
KeyError: Caught KeyError in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/torch/utils/data/_utils/worker.py", line 351, in _worker_loop
    data = fetcher.fetch(index)
  File "train.py", line 5, in __getitem__
    return row["val_acc"]
KeyError: 'val_acc'
"""
SPAWNED = (
    """Traceback (most recent call last):
  File "train.py", line 30, in <module>
    mp.spawn(main, nprocs=2)
torch.multiprocessing.spawn.ProcessRaisedException: 

-- Process 0 terminated with the following error:
"""
    + TRACEBACK
)
CONSEQUENCE = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    dist.all_reduce(x)
torch.distributed.DistBackendError: NCCL error: remote process exited or there was a network error
"""
RICH = """╭───────────────────── Traceback (most recent call last) ──────────────────────╮
│ /home/me/train.py:5 in main                                                  │
│ ❱ 5     x = row["val_acc"]                                                   │
╰──────────────────────────────────────────────────────────────────────────────╯
KeyError: 'val_acc'
"""
RECOVERED = f"{AT}{OOM}\nhalving the batch\n"
KEY = "KeyError: 'val_acc'"
ENDS: dict[str, tuple[str, str]] = {
    "python alone": (TRACEBACK, KEY),
    "hydra": (HYDRA + TRACEBACK + HINT, KEY),
    "torchrun": (TRACEBACK + ELASTIC, KEY),
    "torchrun with @record": (RECORDED, KEY),
    "accelerate": (TRACEBACK + CALLED, KEY),
    "a shell script under make and srun": (
        TRACEBACK + "make: *** [Makefile:3: train] Error 1\nsrun: error: n01: task 0: Exited with exit code 1\n",
        KEY,
    ),
    "wandb": (TRACEBACK + WANDB, KEY),
    "a destructor on the way out": (TRACEBACK + IGNORED, KEY),
    "a warning on the way out": (
        TRACEBACK + "/usr/lib/tracker.py:224: UserWarning: resource_tracker: 1 leaked semaphore\n  warnings.warn(\n",
        KEY,
    ),
    "a progress bar": ("  3%|▎    | 3/100 [00:01<00:32,  2.9it/s]\r" * 9 + TRACEBACK + "\r 3%|▎  | 3/100 [00:02]", KEY),
    "colours": (TRACEBACK.replace("KeyError", "\x1b[1;35mKeyError\x1b[0m").replace("File", "\x1b[1mFile"), KEY),
    "a rank's label": (LABELLED + CONSEQUENCE, KEY),
    "two ranks at once": (MIXED, KEY),
    "an exception group": (GROUP, KEY),
    "a loader's process": (WORKER, KEY),
    "a spawned process": (SPAWNED, KEY),
    "rich": (RICH + CALLED, KEY),
    "while another was handled": (
        TRACEBACK + "\nDuring handling of the above exception, another exception occurred:\n\n" + AT + MISSING + "\n",
        MISSING,
    ),
    "a long name": (HYDRA + AT + MISSING + HINT + WANDB, MISSING),
    "one of a thread, then its own": (
        TRACEBACK.replace("KeyError", "ValueError") + "Exception in thread T-1:\n" + RECOVERED,
        "ValueError: 'val_acc'",
    ),
    "recovered, then its own": (RECOVERED + TRACEBACK, KEY),
    "arguments": (
        "usage: t.py [-h] [--lr LR]\n            [--seed SEED]\nt.py: error: unrecognized arguments: --mom 3\n",
        "t.py: error: unrecognized arguments: --mom 3",
    ),
    "hydra's own": (
        "Could not override 'lrr'.\nKey 'lrr' is not in struct\n    full_key: lrr\n    object_type=dict\n" + HINT,
        "Key 'lrr' is not in struct",
    ),
    "go": ("panic: no such file\n\ngoroutine 1 [running]:\nexit status 2\n", "panic: no such file"),
    "rust": (
        "thread 'main' panicked at src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`\n",
        "thread 'main' panicked at src/main.rs:2:5",
    ),
    "c": ("train: m.c:3: main: Assertion `n > 0' failed.\nAborted\n", "train: m.c:3: main: Assertion `n > 0' failed."),
    "a plain line": ("epoch 1\nno such file: a\n" + WANDB, "no such file: a"),
    "an error that was not the end": ("ERROR: retrying\n" + "step\n" * 40 + "bad config\n", "bad config"),
    "an error rate": ("error: 0.25\nbad config\n", "bad config"),
    "only a launcher": (
        CALLED,
        "subprocess.CalledProcessError: Command '['python', 'train.py']' returned non-zero exit status 1.",
    ),
    "nothing": ("\n \n", ""),
}
MEMORY: dict[str, str] = {
    "hydra": HYDRA + AT + "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n" + HINT,
    "torchrun": AT + OOM + "\n" + ELASTIC,
    "accelerate and wandb": AT + OOM + "\n" + WANDB + CALLED,
    "wrapped": AT
    + OOM
    + "\n\nThe above exception was the direct cause of the following exception:\n\n"
    + AT
    + "RuntimeError: training failed\n",
    "while it cleaned up": AT
    + OOM
    + "\n\nDuring handling of the above exception, another exception occurred:\n\n"
    + TRACEBACK,
    "jax": AT
    + "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.\n",
    "tensorflow": AT + "tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution error:\n",
    "c++": "terminate called after throwing 'std::bad_alloc'\n  what():  std::bad_alloc\nmake: *** [run] Error 134\n",
    "java": 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n\tat Train.main(Train.java:3)\n',
    "a word of its own": "step 3\nCUDA out of memory, giving up\n" + WANDB,
    "slurm": "step 3\nslurmstepd: Detected 1 oom_kill event in StepId=1.0.\nsrun: error: n1: task 0: Out Of Memory\n",
}
FITS = {
    "recovered, then broken": RECOVERED + TRACEBACK,
    "an allocator that says that it is no failure": "Allocator (GPU_0_bfc) ran out of memory, which is no failure\n"
    + TRACEBACK,
    "no memory in it": TRACEBACK + WANDB,
}
