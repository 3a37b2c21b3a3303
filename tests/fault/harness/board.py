"""What the processes with fault points share: see tests/fault/armed.cpp."""
import mmap
import os
import struct

SIZE = 4 << 20
LEFT, RECORDING, USED, POINT, ACTION, SEEN = 0, 4, 8, 16, 128, 256


class Board:
    def __init__(self, path):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(file, SIZE)
        self.memory = mmap.mmap(file, SIZE)
        os.close(file)

    def number(self, at):
        return struct.unpack_from("=i", self.memory, at)[0]

    def put(self, at, number):
        struct.pack_into("=i", self.memory, at, number)

    def arm(self, point, action, nth):
        """At the nth passing of the point from now the action is done, once."""
        self.disarm()
        struct.pack_into("112s", self.memory, POINT, point.encode())
        struct.pack_into("128s", self.memory, ACTION, action.encode())
        self.put(LEFT, nth)

    def armed(self):
        return self.number(LEFT) > 0

    def disarm(self):
        self.put(LEFT, 0)

    def record(self):
        """Every point that is passed from now on is noted."""
        self.put(USED, 0)
        self.put(RECORDING, 1)

    def recorded(self):
        """The points that were passed, and no more are noted."""
        self.put(RECORDING, 0)
        used = self.number(USED)
        if used > SIZE - SEEN:
            raise MemoryError("more points were passed than the board has room for")
        return self.memory[SEEN:SEEN + used].decode().splitlines()
