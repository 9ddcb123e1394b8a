"""What can have become of a file of the state directory: functions that do it to a path."""
import os
import random
import shutil
import sqlite3
import struct

POLYNOMIAL = 0x82F63B78  # CRC32C (RFC 3720, appendix B.4), reflected


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def missing(path):
    path.unlink()


def empty(path):
    os.truncate(path, 0)


def one_byte(path):
    os.truncate(path, 1)


def half(path):
    os.truncate(path, path.stat().st_size // 2)


def torn(path):
    os.truncate(path, max(path.stat().st_size - 7, 0))


def longer(path):
    with open(path, "ab") as file:
        file.write(b"more" * 100)


def twice(path):
    data = path.read_bytes()
    path.write_bytes(data + data)


def zeroes(path):
    path.write_bytes(bytes(path.stat().st_size))


def noise(path):
    path.write_bytes(random.Random(1).randbytes(max(path.stat().st_size, 4096)))


def text(path):
    path.write_text("This is not what you think it is.\n" * 50)


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x40]))


def flipped_at_the_beginning(path):
    flip(path, 0)


def flipped_in_the_head(path):
    flip(path, min(20, path.stat().st_size - 1))


def flipped_in_the_middle(path):
    flip(path, path.stat().st_size // 2)


def flipped_at_the_end(path):
    flip(path, path.stat().st_size - 1)


def zero_page(path):
    with open(path, "r+b") as file:
        file.seek(min(4096, path.stat().st_size // 2))
        file.write(bytes(min(4096, path.stat().st_size // 2)))


def directory(path):
    path.unlink()
    path.mkdir()


def full_directory(path):
    directory(path)
    path.joinpath("something").write_text("in the way")


def dangling_link(path):
    path.unlink()
    path.symlink_to("/nonexistent/anywhere")


def link_to_itself(path):
    path.unlink()
    path.symlink_to(path.name)


def pipe(path):
    """Opening one for reading waits for a writer, for ever."""
    path.unlink()
    os.mkfifo(path)


KINDS = [
    missing, empty, one_byte, half, torn, longer, twice, zeroes, noise, text,
    flipped_at_the_beginning, flipped_in_the_head, flipped_in_the_middle, flipped_at_the_end,
    zero_page, directory, full_directory, dangling_link, link_to_itself, pipe,
]

# ---- of one file only


def segment_of_another_version(path):
    """Intact, but written by a later program: magic[8] version[4] ... crc[4] at 68."""
    with open(path, "r+b") as file:
        head = bytearray(file.read(72))
        struct.pack_into("<I", head, 8, 99)
        struct.pack_into("<I", head, 68, crc32c(head[:68]))
        file.seek(0)
        file.write(head)


def record_flipped(path):
    """In the first record: segments begin with a block of 4,096 bytes."""
    flip(path, 4096 + 60)


def checkpoint_of_another_version(path):
    """magic[8] version[4] ... length[8] crc[4]."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 8, 99)
    data[-4:] = struct.pack("<I", crc32c(data[:-4]))
    path.write_bytes(data)


def database(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def schema_of_another_version(path):
    database(path, "PRAGMA user_version=99")


def database_of_somebody_else(path):
    path.unlink()
    database(path, "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('x')")


def tables_dropped(path):
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    connection.close()
    database(path, *(f"DROP TABLE {name}" for (name,) in names if not name.startswith("sqlite_")))


def rows_of_noise(path):
    """Every text and blob of every row, as a program with a fault might leave it."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    for (table,) in names:
        for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
            if column[2].upper() == "BLOB":
                connection.execute(f"UPDATE {table} SET {column[1]} = randomblob(40)")
    connection.commit()
    connection.close()


def copy(source, target):
    """All but sockets, which cannot be copied: a file stands for the one that was left."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    target.joinpath("admin.sock").write_bytes(bytes(10_000))
