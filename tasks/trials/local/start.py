"""Started as a file, by no name that a package of the user's could have: the fork server's process.

`tasks` is bound to our own folder first, whatever else is called that on Python's path. Its other end:
`tasks.trials.local.server_link`.
"""

import gc
import importlib
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])

if __name__ == "__main__":
    gc.disable()  # until everything is imported
    sys.path.insert(0, ROOT)
    importlib.import_module("tasks")  # its modules are found in its own folder from now on
    sys.path.remove(ROOT)
    from tasks.trials.local.reaper import serve_children

    serve_children(int(sys.argv[1]), sys.argv[2:])
