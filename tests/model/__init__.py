"""The model: the worker's real pipeline, fold, state and flush over a simulated log and store.

Every call to the log or the store is a gate that a schedule opens, so a schedule decides what
happens when: crashes, zombies, rebalances, lost and late and partial inserts, replays. After
healing, rows, first events and ledger must be what the plain fold makes of the whole log.

    python -m tests.model --schedules 10000 --seed 1                 all parts in place
    python -m tests.model --schedules 1000 --without guard           one part left out
    python -m tests.model --schedules 1000 --table                   each part left out in turn

A schedule is made by its seed alone, so a wrong one can be looked at again:
`python -m tests.model --schedules 1 --seed N --without PART`.

Next: tests.model.world
"""
