"""What a ring does at every step, as loops over rows and over samples.

``records`` (slots, bytes) uint8 holds all slots, row by row, ``length`` to a row; ``staged`` (B, bytes) uint8 a record
for each row, about to be written; ``rows`` (B, 3) int64 the state of each row.
"""

from __future__ import annotations

import numpy as np

from livedqn.kernel import viewing_kernel
from livedqn.memcpy import copy
from livedqn.replay.record import ACTION, DISCOUNT, MASK, PROPENSITY, REWARD, WINDOW
from livedqn.types import BoolArray, FloatArray, IntArray

# The columns of ``rows``: position of the newest observation, slots ever written, transitions of this episode.
HEAD, FILLED, AGE = range(3)


@viewing_kernel
def write(records: IntArray, staged: IntArray, rows: IntArray, length: int, row: int) -> tuple[int, bool]:
    """The staged observation of ``row`` becomes its newest: the slot, and whether a window that began there is lost."""
    head = rows[row, HEAD] + 1
    if head == length:
        head = 0
    rows[row, HEAD] = head
    rows[row, FILLED] = min(rows[row, FILLED] + 1, length)
    slot = row * length + head
    is_lost = records[slot, WINDOW] > 0
    size = records.shape[1]
    copy(records, slot * size + WINDOW, staged, row * size + WINDOW, size - WINDOW)
    return slot, is_lost


@viewing_kernel
def complete(records: IntArray, rows: IntArray, length: int, row: int, count: int) -> int:
    """The window of the newest ``count`` transitions of ``row`` is complete: the slot where it begins."""
    position = rows[row, HEAD] - count
    if position < 0:
        position += length
    slot: int = row * length + position
    records[slot, WINDOW] = count
    return slot


@viewing_kernel
def begin(
    records: IntArray, staged: IntArray, rows: IntArray, length: int, beginning: IntArray, overwritten: IntArray
) -> int:
    """Episodes of the rows ``beginning`` (M,) begin; ``overwritten`` (B,) receives M slots. Returns windows lost."""
    lost = 0
    for i, row in enumerate(beginning):
        rows[row, AGE] = 0
        overwritten[i], is_lost = write(records, staged, rows, length, row)
        lost += is_lost
    return lost


@viewing_kernel
def end(
    records: IntArray, rows: IntArray, length: int, n_step: int, ending: BoolArray, completed: IntArray
) -> int:  # fmt: skip
    """Episodes of the rows where ``ending`` (B,) end; ``completed`` (B * n,) receives the slots; returns how many."""
    done = 0
    for row in range(rows.shape[0]):
        if ending[row]:
            for count in range(1, min(n_step - 1, rows[row, AGE]) + 1):
                completed[done] = complete(records, rows, length, row, count)
                done += 1
    return done


@viewing_kernel
def forbidden(records: IntArray, staged: IntArray, rows: IntArray, length: int, num_actions: int) -> int:
    """The first row whose staged action lies outside the mask of its newest observation, or -1."""
    words = staged.view(np.int32)
    for row in range(rows.shape[0]):
        action = words[row, ACTION]
        if not 0 <= action < num_actions or not records[row * length + rows[row, HEAD], MASK + action]:
            return row
    return -1


@viewing_kernel
def add(
    records: IntArray, staged: IntArray, rows: IntArray, length: int, n_step: int, num_actions: int,
    overwritten: IntArray, completed: IntArray,
) -> tuple[int, int, int]:  # fmt: skip
    """One transition of every row, unless an action is forbidden: the row where (or -1), windows lost and completed."""
    wrong = forbidden(records, staged, rows, length, num_actions)
    lost = done = 0
    if wrong >= 0:
        return wrong, lost, done
    size = records.shape[1]
    for row in range(rows.shape[0]):
        copy(records, (row * length + rows[row, HEAD]) * size, staged, row * size, WINDOW)
        overwritten[row], is_lost = write(records, staged, rows, length, row)
        lost += is_lost
        rows[row, AGE] += 1
        if rows[row, AGE] >= n_step:
            completed[done] = complete(records, rows, length, row, n_step)
            done += 1
    return wrong, lost, done


@viewing_kernel
def draw(records: IntArray, rows: IntArray, length: int, chance: FloatArray, slots: IntArray, drawn: int) -> int:
    """Slots as ``chance`` (M,) in [0, 1) has it, behind the ``drawn`` ones in ``slots`` (N,), without those where no
    window begins; returns how many there are now.
    """
    used = rows[:, FILLED].max()
    for k in range(chance.size):
        place = chance[k] * rows.shape[0]
        row = int(place)
        slot = row * length + int((place - row) * used)
        if records[slot, WINDOW]:
            slots[drawn] = slot
            drawn += 1
    return drawn


@viewing_kernel
def gather(
    records: IntArray, length: int, slots: IntArray, fields: IntArray, observation: IntArray, following: IntArray,
    action: IntArray, propensity: FloatArray, reward: FloatArray, discount: FloatArray,
) -> None:  # fmt: skip
    """The windows that begin at ``slots`` (N,), into the arrays of a batch.

    ``observation`` and ``following`` are bytes; a row of ``fields`` (fields, 3) says where a field stands in a record,
    how many bytes it has, and where its N copies begin.
    """
    size = records.shape[1]
    words, numbers = records.view(np.int32), records.view(np.float32)
    for i, slot in enumerate(slots):
        action[i], propensity[i] = words[slot, ACTION], numbers[slot, PROPENSITY]
        row_end = slot - slot % length + length
        last = slot
        window = records[slot, WINDOW]
        for k in range(reward.shape[1]):
            if k < window:
                reward[i, k], discount[i, k] = numbers[last, REWARD], numbers[last, DISCOUNT]
                last += 1
                if last == row_end:
                    last -= length
            else:
                reward[i, k], discount[i, k] = 0, 1
        for f in range(fields.shape[0]):
            offset, count, start = fields[f]
            copy(observation, start + i * count, records, slot * size + offset, count)
            copy(following, start + i * count, records, last * size + offset, count)
