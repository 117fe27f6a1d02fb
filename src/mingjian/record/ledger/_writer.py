"""How entries get in: made ready by whoever brings them, numbered and committed in the order of a queue.

A commit waits for the disk, so those who come meanwhile share the next one. A check must see what is durable, and only that:
what it finds goes into projections and caches, where a transaction that fails would leave it behind. So a batch with a check
never rides along with another: when its turn comes, all that is ahead of it is on disk. It takes along those that follow it
without a check.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.ledger._draft import Draft
from mingjian.record.ledger._entry import Batch, Entry, read_header, whole_milliseconds
from mingjian.record.ledger._merkle import leaf_hashes
from mingjian.record.ledger._payload import KEY_SIZE, Prepared, prepare_all
from mingjian.record.ledger._queue import Queue, Ticket
from mingjian.record.ledger._store import Added, Gone, Head, Kept, Store, Turn
from mingjian.record.ledger._tiles import extended

Keys = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Work:
    """Batches to append, made ready under the ``keys`` of their owners, of which ``known`` had been there."""

    batches: Sequence[Batch]
    known: Keys
    keys: Keys
    ready: Sequence[tuple[Draft, Prepared]]
    kept: Sequence[Kept]


class Writer:
    """Appends to one store, for all threads of a process. ``now`` is the clock, which must know its zone."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now
        self._queue: Queue[_Work, list[Entry]] = Queue()
        self._written = -1, b"", datetime.min  # index, leaf and time of the last entry; whoever has a turn touches it

    def append(self, batches: Sequence[Batch], check: Callable[[int], None] | None) -> list[Entry]:
        """See `Ledger.append_all`; ``check`` is told how many entries there are."""
        for batch in batches:
            _want_storable(batch)
        work = _work(batches, self._store.owner_keys(_names(batches)))
        if check is None:  # nothing can refuse them any more
            work = self._kept(work)
        ticket: Ticket[_Work, list[Entry]] = Ticket(work, apart=check is not None)
        with self._queue.turn(ticket) as mine:
            if mine:
                return self._lead(work, check)
        if ticket.done is None:
            raise MingjianError(
                "it is not known whether this was appended",
                why=f"the transaction that it shared with others broke: {type(ticket.fault).__name__}",
                where=self._store.name,
                remedy="look for it in the ledger before it is appended again",
            ) from ticket.fault
        return ticket.done

    def record(self, turn: Turn, batch: Batch, gone: Gone) -> Entry:
        """Append what tells of an erasure, and destroy what is ``gone`` in the same transaction."""
        ((entry,),) = self._commit(turn, [self._kept(_work([batch], {}))], gone)
        return entry

    def _lead(self, own: _Work, check: Callable[[int], None] | None) -> list[Entry]:
        """Append one's own batches, and those of all who wait behind without a check."""
        with self._store.turn() as turn:
            if check is not None:
                check(turn.size)
                own = self._kept(own)
            followers = self._queue.followers()
            try:
                done = self._commit(turn, [own, *(follower.work for follower in followers)])
            except BaseException as fault:
                for follower in followers:
                    follower.settle(fault=fault)
                raise
            for follower, entries in zip(followers, done[1:], strict=True):
                follower.settle(entries)
        return done[0]

    def _commit(self, turn: Turn, works: Sequence[_Work], gone: Gone | None = None) -> list[list[Entry]]:
        """Number and write all in one transaction; the entries of each."""
        works, new = self._under_present_keys(turn, works)
        at = whole_milliseconds(self._now())
        if turn.head is not None:
            at = max(at, self._time_of(turn.head))
        index = turn.size
        added: list[Added] = []
        done: list[list[Entry]] = []
        for work in works:
            for (draft, prepared), kept in zip(work.ready, work.kept, strict=True):
                entry, leaf = draft.entry(index, at)
                added.append(Added(entry, leaf, prepared, kept))
                index += 1
            done.append([a.entry for a in added[len(added) - len(work.ready) :]])
        if added:
            tiles = extended(turn.tile, turn.size, leaf_hashes(a.leaf for a in added))
            turn.commit(added, tiles, keys=new, gone=gone)
            self._written = index - 1, added[-1].leaf, at
        return done

    def _time_of(self, head: Head) -> datetime:
        """When the last entry was appended. It need not be read where it was written here."""
        index, leaf, at = self._written
        known = (head.index, head.header) == (index, leaf)
        return at if known else read_header(head.index, head.header).at

    def _under_present_keys(self, turn: Turn, works: Sequence[_Work]) -> tuple[list[_Work], Keys]:
        """The same, each under the keys that its owners have now, and the keys that are new.

        Somebody may have made, or destroyed, one of them since; or two who are written together are the first for an owner.
        """
        there = turn.owner_keys(frozenset().union(*(work.keys for work in works)))
        present, fitting = dict(there), []
        for work in works:
            known = {name: present[name] for name in work.keys if name in present}
            fitting.append(work if known == work.known else self._kept(_work(work.batches, known)))
            present |= fitting[-1].keys
        return fitting, {name: key for name, key in present.items() if name not in there}

    def _kept(self, work: _Work) -> _Work:
        return replace(work, kept=[self._store.keep(prepared) for _, prepared in work.ready])


def _names(batches: Sequence[Batch]) -> frozenset[str]:
    return frozenset().union(*(batch.named_owners for batch in batches))


def _work(batches: Sequence[Batch], known: Keys) -> _Work:
    keys = {name: known.get(name) or secrets.token_bytes(KEY_SIZE) for name in _names(batches)}
    prepared = prepare_all(batches, keys)
    return _Work(batches, known, keys, [(Draft.of(p.batch, p.columns, p.root), p) for p in prepared], ())


def _want_storable(batch: Batch) -> None:
    """Raises Misuse where a text that is looked up has a NUL in it: a database may refuse it, and all that it came with."""
    if "\0" in "".join((batch.kind, batch.scheme, batch.source.get("sha256", ""), *batch.named_owners)):
        raise Misuse("not a batch", why="kind, scheme, SHA-256 or an owner has a NUL in it", remedy="leave it out")
