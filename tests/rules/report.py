# SPDX-License-Identifier: GPL-2.0-or-later
"""How good the rules are, in figures: what they find among good files, and
what each of them costs.
"""

import concurrent.futures
import hashlib
import os
import stat
import tempfile
import time

import scan

# Larger files are data; no rule for texts looks at so much.
SIZE_MAX = 6 << 20
TIMED_BYTES = 8 << 20
TIMED_SIZE_MAX = 1 << 20
RUNS = 2         # the faster one counts
MIB = 1 << 20
MIB_MS_MAX = 20  # of an unknown program of a mebibyte, all rules together
RULE_MS_MAX = 15 # of one rule, for a mebibyte of all kinds of files


def files_of(folders):
    """Regular files in an order that is the same everywhere, and random."""
    found = []
    for folder in folders:
        for top, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(top, name)
                try:
                    st = os.lstat(path)
                except OSError:
                    continue
                if stat.S_ISREG(st.st_mode) and 0 < st.st_size <= SIZE_MAX \
                        and "\n" not in path:
                    found.append((path, st.st_size))
    found.sort(key=lambda f: hashlib.sha1(os.fsencode(f[0])).digest())
    return found


def take(found, budget, size_max=SIZE_MAX):
    """As many as the budget of bytes allows, from the front."""
    paths, size = [], 0
    for path, each in found:
        if each > size_max:
            continue
        if size + each > budget:
            break
        paths.append(path)
        size += each
    return paths, size


def good_files(scanner, found, budget):
    """({path: rules} of hits, a line that says what was looked at)."""
    paths, size = take(found, budget)
    started = time.monotonic()
    workers = os.cpu_count() or 1
    hits, complaints = {}, []
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for one, said in pool.map(scanner.scan,
                                  [paths[i::workers] for i in range(workers)]):
            hits.update(one)
            complaints += said
    # Files come and go, and some are not for this user to read.
    odd = [c for c in complaints if "No such file" not in c
           and "Permission denied" not in c]
    whole = sum(s for _, s in found)
    return hits, odd, (
        f"{len(paths)} of {len(found)} files, {size // MIB} of "
        f"{whole // MIB} MiB in {time.monotonic() - started:.1f} s")


def times(scanner, found):
    """{rule: ms for a MiB}, and of all together, less what a run costs."""
    paths, size = take(found, TIMED_BYTES, TIMED_SIZE_MAX)
    with tempfile.TemporaryDirectory(prefix="khien-rules-") as folder:
        files = scan.apart(folder)
        nothing = os.path.join(folder, "nothing.yar")
        with open(nothing, "w", encoding="ascii") as file:
            file.write("rule nothing { condition: false }")

        def cost(rules):
            return min(scanner.cpu_s(rules, paths) for _ in range(RUNS))

        base = cost(nothing)
        workers = max(1, (os.cpu_count() or 1))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            costs = pool.map(cost, files.values())
            each = {name: 1000 * max(0, s - base) * MIB / size
                    for name, s in zip(files, costs)}
        together = 1000 * max(0, cost(scan.RULES) - base) * MIB / size
    return each, together


def program_ms(scanner, found):
    """User time for a MiB of a program, everything included."""
    large = [p for p, s in found if s >= MIB][:400]
    with tempfile.TemporaryDirectory(prefix="khien-rules-") as folder:
        paths = []
        for path in large:
            with open(path, "rb") as file:
                head = file.read(MIB)
            if head.startswith(b"\x7fELF"):
                paths.append(os.path.join(folder, str(len(paths))))
                with open(paths[-1], "wb") as file:
                    file.write(head)
            if len(paths) == 8:
                break
        if not paths:
            return None
        once = min(scanner.cpu_s(scan.RULES, paths) for _ in range(RUNS))
        more = min(scanner.cpu_s(scan.RULES, paths * 4) for _ in range(RUNS))
    return 1000 * (more - once) / (3 * len(paths))
