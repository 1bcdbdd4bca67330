# SPDX-License-Identifier: GPL-2.0-or-later
"""A FUSE file system that a test serves itself."""

import contextlib
import ctypes
import os
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)


class Fuse:
    """A file system whose server answers while it likes to: a folder with one
    folder, "in", in it, and "program" if there is any.  See linux/fuse.h."""

    LOOKUP, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 3, 14, 15, 18, 25, 26
    IN, PROGRAM = 2, 3

    def __init__(self, path, program=b""):
        self.path = path
        self.program = program
        path.mkdir(exist_ok=True)
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = (f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,"
                   "allow_other").encode()
        self.answers = True
        self.began = threading.Event()
        self.asked = []  # and not answered
        # The descriptor cannot be read before it is mounted.
        if LIBC.mount(b"khien-fuse", str(path).encode(), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "mount of fuse")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        assert self.began.wait(10)

    def attr(self, inode):
        # ino size blocks, three times, their nanoseconds, mode nlink uid gid
        # rdev blksize flags
        size, mode = 0, 0o40755
        if inode == self.PROGRAM:
            size, mode = len(self.program), 0o100755
        return struct.pack("<6Q10I", inode, size, 0, 0, 0, 0, 0, 0, 0, mode, 2,
                           0, 0, 0, 4096, 0)

    def reply(self, opcode, inode, body):
        if opcode == self.INIT:
            return struct.pack("<4I2H2I", 7, 31, 65536, 0, 16, 12, 65536, 1) \
                + bytes(36)
        if opcode == self.LOOKUP:
            found = {b"in": self.IN}
            if self.program:
                found[b"program"] = self.PROGRAM
            inode = found.get(body.split(b"\0")[0])
            if not inode:
                return -2
            # No validity: the next walk asks again.
            return struct.pack("<4Q2I", inode, 0, 0, 0, 0, 0) + \
                self.attr(inode)
        if opcode == self.GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self.attr(inode)
        if opcode == self.OPEN:
            return bytes(16)
        if opcode == self.READ:
            _, start, size = struct.unpack("<2QI", body[:20])
            return self.program[start:start + size]
        if opcode in (self.RELEASE, self.FLUSH):
            return b""
        return -38

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                data = os.read(self.fd, 1 << 18)
                _, opcode, unique, inode = struct.unpack("<2I2Q", data[:24])
                if opcode in (2, 36, 42):  # forgotten, interrupted: no answer
                    continue
                if not self.answers:
                    pid = struct.unpack("<I", data[32:36])[0]
                    self.asked.append((opcode, pid, unique, data))
                    continue
                self.answer(opcode, unique, inode, data)

    def answer(self, opcode, unique, inode, data):
        out = self.reply(opcode, inode, data[40:])
        error, out = (out, b"") if isinstance(out, int) else (0, out)
        os.write(self.fd, struct.pack("<IiQ", 16 + len(out), error,
                                      unique) + out)
        if opcode == self.INIT:
            self.began.set()

    def go_on(self):
        """Answers what waits, and whatever comes."""
        self.answers = True
        asked, self.asked = self.asked, []
        for opcode, _, unique, data in asked:
            self.answer(opcode, unique, struct.unpack("<Q", data[16:24])[0],
                        data)

    def close(self):
        # Whoever waits is let go.
        self.answers = True
        for _, _, unique, _ in self.asked:
            with contextlib.suppress(OSError):
                os.write(self.fd, struct.pack("<IiQ", 16, -5, unique))
        LIBC.umount2(str(self.path / "in").encode(), 2)
        LIBC.umount2(str(self.path).encode(), 3)
        self.thread.join(10)
        os.close(self.fd)

    def asked_by(self, agent):
        pids = [p.get("pid") for p in agent.processes()]
        return [one for one in self.asked if one[1] in pids]
